import { syscallNumber } from "../../kernel/arch.ts";
import { Code } from "./code.ts";
import { constantOf } from "./layout.ts";
import type { Addresses, Assembler, Condition, Op, Operand, Size } from "./ops.ts";

/** Registers by their encoding (Intel SDM volume 2, table 2-2). */
const RAX = 0;
const RCX = 1;
const RDX = 2;
/** The order in which the kernel takes arguments (syscall(2)): rdi, rsi, rdx, r10, r8, r9. */
const ARGUMENTS = [7, 6, 2, 10, 8, 9];

/** Second byte of the near conditional jump, `0F 8x`. */
const JUMP: Record<Condition, number> = { eq: 0x84, ne: 0x85, lt: 0x8c, ge: 0x8d };

const REX_W = 0x48;

/** The assembler for x86-64. Addresses are absolute and below 2 GiB, as the program is not relocated. */
export const x86_64: Assembler = {
  assemble(ops, addresses) {
    const code = new Code();
    for (const op of ops) emit(code, op, addresses);
    return code.finish((_word, at, target) => target - (at + 4));
  },
};

function emit(code: Code, op: Op, addresses: Addresses): void {
  const load = (register: number, operand: Operand) => loadRegister(code, register, operand, addresses);
  const store = (slot: string, register: number) => slotAccess(code, 0x89, register, addresses.slot(slot));
  switch (op.op) {
    case "syscall":
      for (const [index, arg] of op.args.entries()) load(ARGUMENTS[index]!, arg);
      load(RAX, { imm: BigInt(syscallNumber("x86_64", op.call)) });
      code.byte(0x0f, 0x05);
      return;
    case "set":
      if (op.value === "acc") store(op.slot, RAX);
      else {
        load(RCX, op.value);
        store(op.slot, RCX);
      }
      return;
    case "add":
      load(RCX, op.value);
      slotAccess(code, 0x01, RCX, addresses.slot(op.slot));
      return;
    case "subtract":
      load(RCX, op.value);
      slotAccess(code, 0x29, RCX, addresses.slot(op.slot));
      return;
    case "divide":
      load(RAX, { slot: op.slot });
      load(RDX, { imm: 0n });
      load(RCX, { imm: BigInt(op.by) });
      code.byte(REX_W, 0xf7, 0xf1);
      store(op.slot, RAX);
      store(op.remainder, RDX);
      return;
    case "if":
      load(RCX, op.left);
      load(RDX, op.right);
      code.byte(REX_W, 0x39, 0xd1);
      code.byte(0x0f, JUMP[op.is]);
      code.fixup(op.to);
      code.word(0);
      return;
    case "recall":
      load(RAX, { slot: op.slot });
      return;
    case "jump":
      code.byte(0xe9);
      code.fixup(op.to);
      code.word(0);
      return;
    case "label":
      code.label(op.name);
      return;
    case "load":
      load(RCX, op.base);
      readMemory(code, op.size, op.offset);
      store(op.slot, RDX);
      return;
    case "store":
      load(RCX, op.base);
      load(RDX, op.value);
      writeMemory(code, op.size, op.offset);
      return;
  }
}

function loadRegister(code: Code, register: number, operand: Operand, addresses: Addresses): void {
  if (operand === "acc") {
    code.byte(REX_W | (register >> 3), 0x89, 0xc0 | (register & 7));
  } else if ("slot" in operand) {
    slotAccess(code, 0x8b, register, addresses.slot(operand.slot));
    if (operand.plus !== undefined) {
      code.byte(REX_W | (register >> 3), 0x81, 0xc0 | (register & 7));
      code.word(operand.plus);
    }
  } else {
    loadImmediate(code, register, constantOf(operand, addresses));
  }
}

function loadImmediate(code: Code, register: number, value: bigint): void {
  const unsigned = BigInt.asUintN(64, value);
  if (unsigned <= 0xffffffffn) {
    // mov r32, imm32 zero-extends.
    if (register >= 8) code.byte(0x41);
    code.byte(0xb8 | (register & 7));
    code.word(Number(unsigned));
  } else if (BigInt.asIntN(32, unsigned) === BigInt.asIntN(64, unsigned)) {
    code.byte(REX_W | (register >> 3), 0xc7, 0xc0 | (register & 7));
    code.word(Number(BigInt.asUintN(32, unsigned)));
  } else {
    code.byte(REX_W | (register >> 3), 0xb8 | (register & 7));
    code.quad(unsigned);
  }
}

/** `opcode` between a 64-bit register and the absolute address of a slot (ModRM with a SIB without base). */
function slotAccess(code: Code, opcode: number, register: number, address: number): void {
  code.byte(REX_W | ((register >> 3) << 2), opcode, ((register & 7) << 3) | 4, 0x25);
  code.word(address);
}

/** rdx = zero-extended [rcx + offset]. */
function readMemory(code: Code, size: Size, offset: number): void {
  if (size === 1) code.byte(0x0f, 0xb6, 0x91);
  else if (size === 2) code.byte(0x0f, 0xb7, 0x91);
  else if (size === 4) code.byte(0x8b, 0x91);
  else code.byte(REX_W, 0x8b, 0x91);
  code.word(offset);
}

/** [rcx + offset] = rdx. */
function writeMemory(code: Code, size: Size, offset: number): void {
  if (size === 1) code.byte(0x88, 0x91);
  else if (size === 2) code.byte(0x66, 0x89, 0x91);
  else if (size === 4) code.byte(0x89, 0x91);
  else code.byte(REX_W, 0x89, 0x91);
  code.word(offset);
}
