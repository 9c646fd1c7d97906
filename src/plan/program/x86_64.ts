import { syscallNumber } from "../../kernel/arch.ts";
import { Code } from "./code.ts";
import { constantOf } from "./layout.ts";
import type { Addresses, Assembler, Condition, Op, Operand, Size } from "./ops.ts";
import { HOW, ROW, writeRows } from "./table.ts";

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
  calls(code, op, addresses) {
    walkRows(code, op, addresses);
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

/** The table, and a loop over it: rbx is at the row, ebp counts, r12 is the row's `how`. */
function walkRows(
  code: Code,
  { calls, failed, step }: Extract<Op, { op: "calls" }>,
  addresses: Addresses,
): void {
  code.byte(0xe9);
  code.word(calls.length * ROW.size);
  const table = code.length;
  writeRows(code, "x86_64", calls, addresses);
  // lea rbx, [rip + …]; mov ebp, count
  code.byte3(REX_W, 0x8d, 0x1d);
  code.word(table - (code.length + 4));
  code.byte(0xbd);
  code.word(calls.length);
  const loop = code.length;
  // mov r12d, [rbx + how]
  code.byte4(0x44, 0x8b, 0x63, ROW.how);
  for (const [index, register] of ARGUMENTS.entries()) {
    const low = register & 7;
    // mov register, [rbx + …]; bt r12d, index; jnc over; mov register, [register]
    code.byte4(REX_W | ((register >> 3) << 2), 0x8b, 0x43 | (low << 3), ROW.args + index * 8);
    code.byte4(0x41, 0x0f, 0xba, 0xe4);
    code.byte3(index, 0x73, 3);
    code.byte3(REX_W | ((register >> 3) * 5), 0x8b, (low << 3) | low);
  }
  // mov eax, [rbx]; syscall; bt r12d, unchecked; jc next
  code.byte4(0x8b, 0x03, 0x0f, 0x05);
  code.byte4(0x41, 0x0f, 0xba, 0xe4);
  code.byte3(HOW.unchecked, 0x72, CHECK + KEEP);
  const check = code.length;
  // test rax, rax; jns keep; mov ecx, eax; neg ecx
  code.byte3(REX_W, 0x85, 0xc0);
  code.byte2(0x79, CHECK - 5);
  code.byte4(0x89, 0xc1, 0xf7, 0xd9);
  for (const shift of [HOW.first, HOW.second]) {
    // mov edx, r12d; shr edx, shift; and edx, 0xfff; cmp ecx, edx; je next
    code.byte3(0x44, 0x89, 0xe2);
    code.byte3(0xc1, 0xea, shift);
    code.byte2(0x81, 0xe2);
    code.word((1 << HOW.bits) - 1);
    code.byte2(0x39, 0xd1);
    code.byte2(0x74, check + CHECK + KEEP - (code.length + 2));
  }
  code.byte(0xe9);
  code.fixup(failed);
  code.word(0);
  // keep: mov rcx, [rbx + result]; mov [rcx], rax
  code.byte4(REX_W, 0x8b, 0x4b, ROW.result);
  code.byte3(REX_W, 0x89, 0x01);
  // next: inc qword [step]; add rbx, size; dec ebp; jnz loop
  code.byte4(REX_W, 0xff, 0x04, 0x25);
  code.word(addresses.slot(step));
  code.byte4(REX_W, 0x83, 0xc3, ROW.size);
  code.byte4(0xff, 0xcd, 0x0f, 0x85);
  code.word(loop - (code.length + 4));
}

/** Bytes of its instructions from the test of the result to the keeping of it, and those. */
const CHECK = 46;
const KEEP = 7;

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
