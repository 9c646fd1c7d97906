import { imm, slot, type Writer } from "../plan/program/writer.ts";
import type { Slot } from "../plan/step.ts";

/** Go to `to` when the memory that a slot points to begins with `text`. Reads nothing behind the first difference. */
export function ifBegins(writer: Writer, pointer: Slot, text: string, to: string): void {
  const no = writer.fresh("begins-not");
  for (const [offset, byte] of Buffer.from(text, "latin1").entries()) {
    writer.load("byte", slot(pointer), offset, 1);
    writer.if(slot("byte"), "ne", imm(byte), no);
  }
  writer.jump(to);
  writer.label(no);
}

/** Go to `to` when the string that a slot points to is `text`. */
export function ifEquals(writer: Writer, pointer: Slot, text: string, to: string): void {
  ifBegins(writer, pointer, `${text}\0`, to);
}
