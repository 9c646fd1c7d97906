import type { Data, Decimal } from "../step.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/** Digits from the last to the first, then the prefix before and the suffix behind. */
export function lowerDecimal(writer: Writer, step: Decimal): void {
  const digits: Data = { kind: "space", size: 32, name: "decimal-digits" };
  const loop = writer.fresh("digits");
  const copy = writer.fresh("copy");
  const end = writer.fresh("copied");
  const bytes = (text: string) => new TextEncoder().encode(text);
  writer.set("decimal-rest", slot(step.slot));
  writer.set("decimal-at", at(digits, 31));
  writer.label(loop);
  writer.divide("decimal-rest", 10, "decimal-digit");
  writer.add("decimal-digit", imm(0x30));
  writer.add("decimal-at", imm(-1));
  writer.store(slot("decimal-at"), 0, 1, slot("decimal-digit"));
  writer.if(slot("decimal-rest"), "ne", imm(0), loop);
  const prefix = bytes(step.prefix);
  for (const [index, value] of prefix.entries()) writer.store(at(step.into), index, 1, imm(value));
  writer.set("decimal-to", at(step.into, prefix.length));
  writer.label(copy);
  writer.load("decimal-digit", slot("decimal-at"), 0, 1);
  writer.if(slot("decimal-digit"), "eq", imm(0), end);
  writer.store(slot("decimal-to"), 0, 1, slot("decimal-digit"));
  writer.add("decimal-at", imm(1));
  writer.add("decimal-to", imm(1));
  writer.jump(copy);
  writer.label(end);
  if (step.length !== undefined) {
    writer.set(step.length, slot("decimal-to"));
    writer.subtract(step.length, at(step.into, -bytes(step.suffix).length));
  }
  for (const [index, value] of bytes(`${step.suffix}\0`).entries())
    writer.store(slot("decimal-to"), index, 1, imm(value));
}
