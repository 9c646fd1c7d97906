import type { Data } from "../step.ts";
import type { Operand } from "./ops.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/** The keeper's poll set: struct pollfd (poll(2)) is a descriptor, and 16 bits each of events and answers. */

export const POLLIN = 1;
export const POLLOUT = 4;
export const POLLHUP = 0x10;

/** Places in the set. Exits come first: what a pipe says is looked at after them, so it has all of an ended process. */
export const PLACE = { signals: 0, control: 1, reports: 2, outputs: 3, input: 5 } as const;
export const PLACES = 6;
export const POLL: Data = { kind: "space", size: PLACES * 8, name: "poll" };

/** Watch a descriptor; -1 is passed over. */
export function watch(writer: Writer, place: number, descriptor: Operand, events: number): void {
  writer.store(at(POLL), place * 8, 4, descriptor);
  writer.store(at(POLL), place * 8 + 4, 4, imm(events));
}

/** What the kernel answered, into slot `ready`. */
export function loadReady(writer: Writer, place: number): void {
  writer.load("ready", at(POLL), place * 8 + 6, 2);
}

/** Go to `to` when there is an answer. */
export function ifReady(writer: Writer, place: number, to: string): void {
  loadReady(writer, place);
  writer.if(slot("ready"), "ne", imm(0), to);
}
