import type { SyscallName } from "../../kernel/arch.ts";
import type { Call, Data } from "../step.ts";

/**
 * The instructions of a launch program, before an architecture is chosen. There is one accumulator, which
 * holds what the last system call returned, and 64-bit slots in memory; nothing lives in registers
 * between two instructions, so that an assembler is a table and not an allocator.
 */
export type Operand =
  | { readonly imm: number | bigint }
  | { readonly slot: string; readonly plus?: number }
  | { readonly slotAddress: string }
  /** The address of memory. */
  | { readonly data: Data; readonly plus?: number }
  | "acc";

/** Signed comparisons. */
export type Condition = "eq" | "ne" | "lt" | "ge";

export type Op =
  | { readonly op: "syscall"; readonly call: SyscallName; readonly args: readonly Operand[] }
  /**
   * One call after the other, with slot `step` one more after each; with the first that fails, whose error is in the
   * accumulator, to `failed`. Clobbers the accumulator.
   */
  | { readonly op: "calls"; readonly calls: readonly Call[]; readonly step: string; readonly failed: string }
  | { readonly op: "set"; readonly slot: string; readonly value: Operand }
  | { readonly op: "add"; readonly slot: string; readonly value: Operand }
  | { readonly op: "subtract"; readonly slot: string; readonly value: Operand }
  /** slot = slot / by, remainder = slot % by (unsigned). Clobbers the accumulator. */
  | { readonly op: "divide"; readonly slot: string; readonly by: number; readonly remainder: string }
  | {
      readonly op: "if";
      readonly left: Operand;
      readonly is: Condition;
      readonly right: Operand;
      readonly to: string;
    }
  /** accumulator = slot. */
  | { readonly op: "recall"; readonly slot: string }
  | { readonly op: "jump"; readonly to: string }
  | { readonly op: "label"; readonly name: string }
  /** slot = zero-extended memory at base + offset. */
  | {
      readonly op: "load";
      readonly slot: string;
      readonly base: Operand;
      readonly offset: number;
      readonly size: Size;
    }
  | {
      readonly op: "store";
      readonly base: Operand;
      readonly offset: number;
      readonly size: Size;
      readonly value: Operand;
    }
  /** slot = the stack pointer, which no other operation changes: what the kernel left for the program is there. */
  | { readonly op: "stack"; readonly slot: string }
  /** Leave for good: the program at `entry` begins, with `stack` as its stack pointer. */
  | { readonly op: "enter"; readonly entry: Operand; readonly stack: Operand };

/** Bytes of a memory access. */
export type Size = 1 | 2 | 4 | 8;

/** Where slots and memory are, once everything that a program needs is known. */
export interface Addresses {
  /** All slots are within 32 KiB after this. */
  readonly slotBase: number;
  slot(name: string): number;
  data(data: Data): number;
}

/** Turns operations into machine code that can be anywhere: it jumps relative to itself. */
export interface Assembler {
  assemble(ops: readonly Op[], addresses: Addresses): Uint8Array;
}
