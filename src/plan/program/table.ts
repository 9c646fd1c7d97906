import { type Arch, syscallNumber } from "../../kernel/arch.ts";
import { ERRNO } from "../../kernel/errno.ts";
import type { Arg, Call, Step } from "../step.ts";
import type { Code } from "./code.ts";
import type { Addresses } from "./ops.ts";

/**
 * Most of a plan is calls after which there is nothing to decide: go on, or fail. They are rows of a table that a few
 * instructions walk, for writing a row takes a fifth of the time that instructions of its own take.
 */

/** A row: 64 bytes. `how` has a bit for each argument that is a slot's value, and what follows. */
export const ROW = { number: 0, how: 4, args: 8, result: 56, size: 64 } as const;
/** In `how`: the result means nothing; two errors that are no failure, in twelve bits each (0 for none). */
export const HOW = { unchecked: 6, first: 7, second: 19, bits: 12 } as const;
/** The slot of a result that nobody wants. */
export const IGNORED = "ignored";
/** Below this the instructions that walk a table are not worth it. */
export const LEAST_ROWS = 4;

/** Whether a step can be a row; `undone` when its undo is to be remembered. */
export function isRow(step: Step, undone: boolean): step is Call {
  if (step.kind !== "call" || step.retry === true || (undone && step.undo !== undefined)) return false;
  // The result of a tolerated error is the error.
  const { length } = step.tolerate ?? [];
  return isUnchecked(step) || length === 0 || (length <= 2 && step.result === undefined);
}

/** Whatever close(2) says, the descriptor is closed. */
export const isUnchecked = ({ call }: Call): boolean => call === "close";

/** Append the table to the code. */
export function writeRows(code: Code, arch: Arch, calls: readonly Call[], addresses: Addresses): void {
  const { at: begin, view } = code.reserve(calls.length * ROW.size);
  const ignored = addresses.slot(IGNORED);
  let at = begin;
  for (const call of calls) {
    const { args, result } = call;
    view.setUint32(at + ROW.number, syscallNumber(arch, call.call), true);
    view.setUint32(at + ROW.how, howOf(call), true);
    for (let index = 0; index < args.length; index++)
      write(view, at + ROW.args + index * 8, fixedValue(args[index]!, addresses));
    write(view, at + ROW.result, result === undefined ? ignored : addresses.slot(result));
    at += ROW.size;
  }
}

function howOf(call: Call): number {
  let how = isUnchecked(call) ? 1 << HOW.unchecked : 0;
  for (let index = 0; index < call.args.length; index++)
    if (call.args[index]!.kind === "slot") how |= 1 << index;
  const [first, second] = call.tolerate ?? [];
  if (first !== undefined) how |= ERRNO[first] << HOW.first;
  if (second !== undefined) how |= ERRNO[second] << HOW.second;
  return how;
}

/** What the row has of an argument: of a slot its address. */
function fixedValue(arg: Arg, addresses: Addresses): number | bigint {
  if (arg.kind === "number") return arg.value;
  if (arg.kind === "data") return addresses.data(arg.data);
  return addresses.slot(arg.slot);
}

/** 64 bits, little-endian; negative numbers are sign-extended. */
function write(view: DataView, at: number, value: number | bigint): void {
  if (typeof value === "bigint") view.setBigUint64(at, BigInt.asUintN(64, value), true);
  else {
    view.setUint32(at, value >>> 0, true);
    view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
  }
}
