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
      loadImmediate(code, RAX, syscallNumber("x86_64", op.call));
      code.byte2(0x0f, 0x05);
      return;
    case "set":
      if (op.value === "acc") store(op.slot, RAX);
      else if ("imm" in op.value && isSmall(op.value.imm)) {
        // mov qword [slot], imm32
        code.byte4(REX_W, 0xc7, 0x04, 0x25);
        code.word(addresses.slot(op.slot));
        code.word(Number(op.value.imm));
      } else {
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
      load(RDX, { imm: 0 });
      load(RCX, { imm: op.by });
      code.byte3(REX_W, 0xf7, 0xf1);
      store(op.slot, RAX);
      store(op.remainder, RDX);
      return;
    case "if":
      compare(code, op.left, op.right, addresses);
      code.byte2(0x0f, JUMP[op.is]);
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

/** Fits in the sign-extended 32 bits of an instruction. */
function isSmall(value: number | bigint): boolean {
  return value >= -0x80000000 && value < 0x80000000;
}

function compare(code: Code, left: Operand, right: Operand, addresses: Addresses): void {
  if (left === "acc" && right !== "acc" && "imm" in right && isSmall(right.imm)) {
    // cmp rax, imm32
    code.byte2(REX_W, 0x3d);
    code.word(Number(right.imm));
    return;
  }
  loadRegister(code, RCX, left, addresses);
  loadRegister(code, RDX, right, addresses);
  code.byte3(REX_W, 0x39, 0xd1);
}

function loadRegister(code: Code, register: number, operand: Operand, addresses: Addresses): void {
  if (operand === "acc") {
    code.byte3(REX_W | (register >> 3), 0x89, 0xc0 | (register & 7));
  } else if ("slot" in operand) {
    slotAccess(code, 0x8b, register, addresses.slot(operand.slot));
    if (operand.plus !== undefined) {
      code.byte3(REX_W | (register >> 3), 0x81, 0xc0 | (register & 7));
      code.word(operand.plus);
    }
  } else {
    loadImmediate(code, register, constantOf(operand, addresses));
  }
}

function loadImmediate(code: Code, register: number, value: number | bigint): void {
  const number = Number(value);
  if (number >= 0 && number <= 0xffffffff) {
    // mov r32, imm32 zero-extends.
    if (register >= 8) code.byte(0x41);
    code.byte(0xb8 | (register & 7));
    code.word(number);
  } else if (number >= -0x80000000 && number < 0) {
    code.byte3(REX_W | (register >> 3), 0xc7, 0xc0 | (register & 7));
    code.word(number);
  } else {
    code.byte2(REX_W | (register >> 3), 0xb8 | (register & 7));
    code.quad(BigInt(value));
  }
}

/** `opcode` between a 64-bit register and the absolute address of a slot (ModRM with a SIB without base). */
function slotAccess(code: Code, opcode: number, register: number, address: number): void {
  code.byte4(REX_W | ((register >> 3) << 2), opcode, ((register & 7) << 3) | 4, 0x25);
  code.word(address);
}

/** rdx = zero-extended [rcx + offset]. */
function readMemory(code: Code, size: Size, offset: number): void {
  if (size === 1) code.byte3(0x0f, 0xb6, 0x91);
  else if (size === 2) code.byte3(0x0f, 0xb7, 0x91);
  else if (size === 4) code.byte2(0x8b, 0x91);
  else code.byte3(REX_W, 0x8b, 0x91);
  code.word(offset);
}

/** [rcx + offset] = rdx. */
function writeMemory(code: Code, size: Size, offset: number): void {
  if (size === 1) code.byte2(0x88, 0x91);
  else if (size === 2) code.byte3(0x66, 0x89, 0x91);
  else if (size === 4) code.byte2(0x89, 0x91);
  else code.byte3(REX_W, 0x89, 0x91);
  code.word(offset);
}
