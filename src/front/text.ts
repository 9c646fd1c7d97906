import type { Operand } from "../plan/program/ops.ts";
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

/** Copy the string that a slot points to, without its NUL, to where `into` points, which moves on; not beyond `end`. */
export function appendText(writer: Writer, pointer: Slot, into: Slot, end: Operand, tooLong: string): void {
  const loop = writer.fresh("append");
  const done = writer.fresh("append-done");
  writer.set("append-from", slot(pointer));
  writer.label(loop);
  writer.load("byte", slot("append-from"), 0, 1);
  writer.if(slot("byte"), "eq", imm(0), done);
  writer.if(slot(into), "ge", end, tooLong);
  writer.store(slot(into), 0, 1, slot("byte"));
  writer.add("append-from", imm(1));
  writer.add(into, imm(1));
  writer.jump(loop);
  writer.label(done);
}
