import { ERRNO } from "../../kernel/errno.ts";
import type { Expect } from "../step.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/** Compare a number in memory; goes to `failed` with the step's error where it is not as expected. */
export function lowerExpect(writer: Writer, step: Expect, failed: string): void {
  const fine = writer.fresh("expected");
  writer.load("expect-value", at(step.from), step.offset, step.size);
  if (step.per !== undefined) writer.divide("expect-value", step.per, "expect-rest");
  writer.if(slot("expect-value"), step.is, imm(step.value), fine);
  writer.set("expect-error", imm(-ERRNO[step.errno]));
  writer.recall("expect-error");
  writer.jump(failed);
  writer.label(fine);
}
