import { imm, slot, type Writer } from "../plan/program/writer.ts";
import type { Slot } from "../plan/step.ts";

/**
 * What the kernel leaves on the stack of a program (execve(2), getauxval(3)): the number of words, a pointer to each, a
 * null; a pointer to each variable of the environment, a null; pairs of 64-bit numbers, the auxiliary vector.
 */

/** Where the stack begins. */
export const STACK: Slot = "stack";
/** The number of words, and where their pointers are. */
export const WORDS: Slot = "words";
export const WORD_POINTERS: Slot = "word-pointers";
/** Where the pointers of the environment are, and the null after them. */
export const VARIABLES: Slot = "variables";
export const VARIABLES_END: Slot = "variables-end";
/** Where the auxiliary vector begins. */
export const AUXILIARY: Slot = "auxiliary";

/** Entries of the auxiliary vector (linux/auxvec.h). */
export const AUXV = { null: 0, headers: 3, base: 7, entry: 9, execfn: 31 } as const;

/** Find everything. */
export function readStack(writer: Writer): void {
  writer.stack(STACK);
  writer.load(WORDS, slot(STACK), 0, 8);
  writer.set(WORD_POINTERS, slot(STACK, 8));
  writer.set("place", slot(WORD_POINTERS));
  pastNull(writer);
  writer.set(VARIABLES, slot("place"));
  pastNull(writer);
  writer.set(VARIABLES_END, slot("place", -8));
  writer.set(AUXILIARY, slot("place"));
}

/** Moves `place` behind the next null. */
function pastNull(writer: Writer): void {
  const next = writer.fresh("next-pointer");
  writer.label(next);
  writer.load("pointer", slot("place"), 0, 8);
  writer.add("place", imm(8));
  writer.if(slot("pointer"), "ne", imm(0), next);
}

/** Where the value of an entry of the auxiliary vector is, into `into`; go to `absent` where there is none. */
export function findAuxiliary(writer: Writer, type: number, into: Slot, absent: string): void {
  const next = writer.fresh("next-entry");
  const found = writer.fresh("entry-found");
  writer.set("entry", slot(AUXILIARY));
  writer.label(next);
  writer.load("type", slot("entry"), 0, 8);
  writer.if(slot("type"), "eq", imm(type), found);
  writer.add("entry", imm(16));
  writer.if(slot("type"), "ne", imm(AUXV.null), next);
  writer.jump(absent);
  writer.label(found);
  writer.set(into, slot("entry", 8));
}
