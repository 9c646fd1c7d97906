import { syscallNumber } from "../../kernel/arch.ts";
import { Code } from "./code.ts";
import { constantOf } from "./layout.ts";
import type { Addresses, Assembler, Condition, Op, Operand, Size } from "./ops.ts";

/** Registers by their encoding (Intel SDM volume 2, table 2-2). */
const RAX = 0;
const RCX = 1;
const RDX = 2;
const RSP = 4;
/** The order in which the kernel takes arguments (syscall(2)): rdi, rsi, rdx, r10, r8, r9. */
const ARGUMENTS = [7, 6, 2, 10, 8, 9];

/** Second byte of the near conditional jump, `0F 8x`. */
const JUMP: Record<Condition, number> = { eq: 0x84, ne: 0x85, lt: 0x8c, ge: 0x8d };

const REX_W = 0x48;

/** The assembler for x86-64. Addresses are absolute and below 2 GiB, as the program is not relocated. */
export const x86_64: Assembler = {
  assemble(ops, addresses) {
    const code = new Code();
    for (const op of ops) (EMIT[op.op] as Emitter<Op["op"]>)(code, op, addresses);
    return code.finish((_word, at, target) => target - (at + 4));
  },
};

type Emitter<K extends Op["op"]> = (code: Code, op: Extract<Op, { op: K }>, addresses: Addresses) => void;

/** Small functions: one large one would be compiled by the runtime's slowest compiler, for every short command. */
const EMIT: { readonly [K in Op["op"]]: Emitter<K> } = {
  syscall(code, { args, call }, addresses) {
    for (let index = 0; index < args.length; index++)
      loadRegister(code, ARGUMENTS[index]!, args[index]!, addresses);
    loadImmediate(code, RAX, syscallNumber("x86_64", call));
    code.byte2(0x0f, 0x05);
  },
  set(code, { slot, value }, addresses) {
    if (value === "acc") slotAccess(code, 0x89, RAX, addresses.slot(slot));
    else if ("imm" in value && isSmall(value.imm)) {
      // mov qword [slot], imm32
      code.byte4(REX_W, 0xc7, 0x04, 0x25);
      code.word(addresses.slot(slot));
      code.word(Number(value.imm));
    } else {
      loadRegister(code, RCX, value, addresses);
      slotAccess(code, 0x89, RCX, addresses.slot(slot));
    }
  },
  add(code, { slot, value }, addresses) {
    loadRegister(code, RCX, value, addresses);
    slotAccess(code, 0x01, RCX, addresses.slot(slot));
  },
  subtract(code, { slot, value }, addresses) {
    loadRegister(code, RCX, value, addresses);
    slotAccess(code, 0x29, RCX, addresses.slot(slot));
  },
  divide(code, { by, remainder, slot }, addresses) {
    loadRegister(code, RAX, { slot }, addresses);
    loadImmediate(code, RDX, 0);
    loadImmediate(code, RCX, by);
    code.byte3(REX_W, 0xf7, 0xf1);
    slotAccess(code, 0x89, RAX, addresses.slot(slot));
    slotAccess(code, 0x89, RDX, addresses.slot(remainder));
  },
  if(code, { is, left, right, to }, addresses) {
    compare(code, left, right, addresses);
    code.byte2(0x0f, JUMP[is]);
    code.fixup(to);
    code.word(0);
  },
  recall(code, { slot }, addresses) {
    slotAccess(code, 0x8b, RAX, addresses.slot(slot));
  },
  jump(code, { to }) {
    code.byte(0xe9);
    code.fixup(to);
    code.word(0);
  },
  label(code, { name }) {
    code.label(name);
  },
  load(code, { base, offset, size, slot }, addresses) {
    loadRegister(code, RCX, base, addresses);
    readMemory(code, size, offset);
    slotAccess(code, 0x89, RDX, addresses.slot(slot));
  },
  store(code, { base, offset, size, value }, addresses) {
    loadRegister(code, RCX, base, addresses);
    loadRegister(code, RDX, value, addresses);
    writeMemory(code, size, offset);
  },
  stack(code, { slot }, addresses) {
    slotAccess(code, 0x89, RSP, addresses.slot(slot));
  },
  enter(code, { entry, stack }, addresses) {
    loadRegister(code, RCX, entry, addresses);
    loadRegister(code, RSP, stack, addresses);
    // rdx: a function to be called at the end (System V ABI for x86-64, 3.4.1); there is none. Then jmp rcx.
    loadImmediate(code, RDX, 0);
    code.byte2(0xff, 0xe1);
  },
};

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
