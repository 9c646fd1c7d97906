import { syscallNumber } from "../../kernel/arch.ts";
import { Code } from "./code.ts";
import { constantOf } from "./layout.ts";
import type { Addresses, Assembler, Condition, Op, Operand, Size } from "./ops.ts";
import { HOW, ROW, writeRows } from "./table.ts";

/** Scratch registers; x0 is the accumulator, x0 to x5 and x8 are the kernel's (syscall(2)), x28 the slots. */
const X0 = 0;
const LEFT = 9;
const RIGHT = 10;
const THIRD = 11;
const ASIDE = 13;
const SLOTS = 28;

/** Condition codes of `b.cond` (Arm ARM C1.2.4); the lowest bit turns one into its opposite. */
const CONDITION: Record<Condition, number> = { eq: 0, ne: 1, lt: 11, ge: 10 };

/** Unsigned-offset loads and stores by size (Arm ARM C4.1.66). */
const LOAD: Record<Size, number> = { 1: 0x39400000, 2: 0x79400000, 4: 0xb9400000, 8: 0xf9400000 };
const STORE: Record<Size, number> = { 1: 0x39000000, 2: 0x79000000, 4: 0xb9000000, 8: 0xf9000000 };

/** The assembler for aarch64. */
export const aarch64: Assembler = {
  assemble(ops, addresses) {
    const code = new Code();
    immediate(code, SLOTS, addresses.slotBase);
    for (const op of ops) emit(code, op, addresses);
    return code.finish((word, at, target) => word | (((target - at) >> 2) & 0x3ffffff));
  },
};

function emit(code: Code, op: Op, addresses: Addresses): void {
  const offsetOf = (slot: string) => addresses.slot(slot) - addresses.slotBase;
  const load = (register: number, operand: Operand) => loadRegister(code, register, operand, addresses);
  const store = (slot: string, register: number) =>
    memory(code, STORE[8], 8, register, SLOTS, offsetOf(slot));
  switch (op.op) {
    case "syscall":
      // The accumulator is the first argument's register: it is set aside before that is loaded.
      if (op.args.includes("acc")) code.word(0xaa0003e0 | (X0 << 16) | ASIDE);
      for (const [index, arg] of op.args.entries()) {
        if (arg === "acc") code.word(0xaa0003e0 | (ASIDE << 16) | index);
        else load(index, arg);
      }
      immediate(code, 8, syscallNumber("aarch64", op.call));
      code.word(0xd4000001);
      return;
    case "calls":
      walkRows(code, op, addresses);
      return;
    case "set":
      if (op.value === "acc") store(op.slot, X0);
      else {
        load(LEFT, op.value);
        store(op.slot, LEFT);
      }
      return;
    case "add":
    case "subtract":
      load(LEFT, { slot: op.slot });
      load(RIGHT, op.value);
      code.word((op.op === "add" ? 0x8b000000 : 0xcb000000) | (RIGHT << 16) | (LEFT << 5) | LEFT);
      store(op.slot, LEFT);
      return;
    case "divide":
      load(LEFT, { slot: op.slot });
      load(RIGHT, { imm: op.by });
      // udiv x11, x9, x10; msub x9, x11, x10, x9
      code.word(0x9ac00800 | (RIGHT << 16) | (LEFT << 5) | THIRD);
      code.word(0x9b008000 | (RIGHT << 16) | (LEFT << 10) | (THIRD << 5) | LEFT);
      store(op.slot, THIRD);
      store(op.remainder, LEFT);
      return;
    case "if":
      load(LEFT, op.left);
      load(RIGHT, op.right);
      code.word(0xeb00001f | (RIGHT << 16) | (LEFT << 5));
      // A conditional branch reaches 1 MiB, `b` 128: skip over a `b` on the opposite condition.
      code.word(0x54000040 | (CONDITION[op.is] ^ 1));
      code.fixup(op.to);
      code.word(0x14000000);
      return;
    case "recall":
      load(X0, { slot: op.slot });
      return;
    case "jump":
      code.fixup(op.to);
      code.word(0x14000000);
      return;
    case "label":
      code.label(op.name);
      return;
    case "load":
      load(LEFT, op.base);
      memory(code, LOAD[op.size], op.size, RIGHT, LEFT, op.offset);
      store(op.slot, RIGHT);
      return;
    case "store":
      load(LEFT, op.base);
      load(RIGHT, op.value);
      memory(code, STORE[op.size], op.size, RIGHT, LEFT, op.offset);
      return;
    case "stack":
      // mov x9, sp
      code.word(0x910003e0 | LEFT);
      store(op.slot, LEFT);
      return;
    case "enter":
      load(LEFT, op.entry);
      load(RIGHT, op.stack);
      // mov sp, x10; x0 is a function to be called at the end, and there is none; br x9
      code.word(0x9100001f | (RIGHT << 5));
      immediate(code, X0, 0);
      code.word(0xd61f0000 | (LEFT << 5));
      return;
  }
}

/** The table, and a loop over it: x19 is at the row, x20 counts, w21 is the row's `how`. */
function walkRows(
  code: Code,
  { calls, failed, step }: Extract<Op, { op: "calls" }>,
  addresses: Addresses,
): void {
  const ROW_AT = 19;
  const COUNT = 20;
  const MANNER = 21;
  const bytes = calls.length * ROW.size;
  code.word(0x14000000 | (bytes / 4 + 1));
  const table = code.length;
  writeRows(code, "aarch64", calls, addresses);
  const back = table - code.length;
  // adr x19, table
  code.word(0x10000000 | ((back & 3) << 29) | (((back >> 2) & 0x7ffff) << 5) | ROW_AT);
  immediate(code, COUNT, calls.length);
  const loop = code.length;
  memory(code, LOAD[4], 4, MANNER, ROW_AT, ROW.how);
  for (let index = 0; index < 6; index++) {
    memory(code, LOAD[8], 8, index, ROW_AT, ROW.args + index * 8);
    // tbz w21, #index: over the next
    code.word(0x36000000 | (index << 19) | (2 << 5) | MANNER);
    memory(code, LOAD[8], 8, index, index, 0);
  }
  memory(code, LOAD[4], 4, 8, ROW_AT, ROW.number);
  code.word(0xd4000001);
  // tbnz w21, #unchecked, next; tbz x0, #63, keep; sub w9, wzr, w0
  code.word(0x37000000 | (HOW.unchecked << 19) | (12 << 5) | MANNER);
  code.word(0xb6f80000 | (9 << 5) | X0);
  code.word(0x4b0003e0 | (X0 << 16) | LEFT);
  for (const [index, shift] of [HOW.first, HOW.second].entries()) {
    // ubfx w10, w21, #shift, #12; cmp w9, w10; b.eq next
    code.word(0x53000000 | (shift << 16) | ((shift + HOW.bits - 1) << 10) | (MANNER << 5) | RIGHT);
    code.word(0x6b00001f | (RIGHT << 16) | (LEFT << 5));
    code.word(0x54000000 | ((index === 0 ? 7 : 4) << 5) | CONDITION.eq);
  }
  code.fixup(failed);
  code.word(0x14000000);
  // keep:
  memory(code, LOAD[8], 8, LEFT, ROW_AT, ROW.result);
  memory(code, STORE[8], 8, X0, LEFT, 0);
  // next: the step's slot, the row and the count
  const number = addresses.slot(step) - addresses.slotBase;
  memory(code, LOAD[8], 8, LEFT, SLOTS, number);
  code.word(0x91000400 | (LEFT << 5) | LEFT);
  memory(code, STORE[8], 8, LEFT, SLOTS, number);
  code.word(0x91000000 | (ROW.size << 10) | (ROW_AT << 5) | ROW_AT);
  code.word(0xf1000400 | (COUNT << 5) | COUNT);
  code.word(0x54000000 | ((((loop - code.length) >> 2) & 0x7ffff) << 5) | CONDITION.ne);
}

function loadRegister(code: Code, register: number, operand: Operand, addresses: Addresses): void {
  if (operand === "acc") {
    // mov register, x0
    code.word(0xaa0003e0 | (X0 << 16) | register);
  } else if ("slot" in operand) {
    memory(code, LOAD[8], 8, register, SLOTS, addresses.slot(operand.slot) - addresses.slotBase);
    if (operand.plus !== undefined) {
      // x12 is free: no operand is kept there.
      immediate(code, 12, operand.plus);
      code.word(0x8b000000 | (12 << 16) | (register << 5) | register);
    }
  } else {
    immediate(code, register, constantOf(operand, addresses));
  }
}

/** movz (or movn for small negative numbers), then movk for each further 16 bits that matter. */
function immediate(code: Code, register: number, value: number | bigint): void {
  const wide = BigInt.asUintN(64, BigInt(value));
  const parts = [0n, 16n, 32n, 48n].map((shift) => Number((wide >> shift) & 0xffffn));
  const negative = parts[3] === 0xffff;
  const filler = negative ? 0xffff : 0;
  const first = Math.max(
    parts.findIndex((part) => part !== filler),
    0,
  );
  const part = parts[first]!;
  code.word(
    (negative ? 0x92800000 : 0xd2800000) |
      (first << 21) |
      ((negative ? ~part & 0xffff : part) << 5) |
      register,
  );
  for (let index = first + 1; index < 4; index++) {
    if (parts[index] !== filler) code.word(0xf2800000 | (index << 21) | (parts[index]! << 5) | register);
  }
}

function memory(code: Code, base: number, size: Size, register: number, at: number, offset: number): void {
  if (offset % size !== 0 || offset / size > 4095)
    throw new Error(`Offset ${offset} is out of reach for ${size} bytes`);
  code.word(base | ((offset / size) << 10) | (at << 5) | register);
}
