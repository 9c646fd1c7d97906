import { ERRNO } from "../../kernel/errno.ts";
import type { Data, Slot } from "../step.ts";
import { ifReady, PLACE, POLLIN, POLLOUT, watch } from "./poll.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/**
 * What is typed: bytes go from the stdin FIFO to the terminal. There is one buffer; a terminal that takes nothing
 * is waited for, so that a slow container slows whoever types and nothing is lost.
 */

const SIZE = 4096;
const BUFFER: Data = { kind: "space", size: SIZE, name: "terminal-in" };

/** The buffer holds `left` bytes from `at` on. */
const AT = "in-at";
const LEFT = "in-left";

/** The buffer is empty. */
export function startPump(writer: Writer): void {
  writer.set(LEFT, imm(0));
}

/** Wait to read while the buffer is empty, to write while it is not. */
export function watchPump(writer: Writer, source: Slot, target: Slot): void {
  const full = writer.fresh("pump-full");
  const set = writer.fresh("pump-set");
  writer.if(slot(LEFT), "ne", imm(0), full);
  watch(writer, PLACE.input, slot(source), POLLIN);
  writer.jump(set);
  writer.label(full);
  watch(writer, PLACE.input, slot(target), POLLOUT);
  writer.label(set);
}

/** Move what can be moved. A source that `ends` is -1 from then on; a FIFO that is held at both ends does not. */
export function pump(writer: Writer, source: Slot, target: Slot, ends?: "ends"): void {
  const ready = writer.fresh("pump-ready");
  const write = writer.fresh("pump-write");
  const done = writer.fresh("pump-done");
  ifReady(writer, PLACE.input, ready);
  writer.jump(done);
  writer.label(ready);
  writer.if(slot(LEFT), "ne", imm(0), write);
  writer.syscall("read", slot(source), at(BUFFER), imm(SIZE));
  if (ends !== undefined) {
    const more = writer.fresh("pump-more");
    for (const name of ["EAGAIN", "EINTR"] as const) writer.if("acc", "eq", imm(-ERRNO[name]), done);
    writer.if("acc", "ge", imm(1), more);
    writer.set(source, imm(-1));
    writer.jump(done);
    writer.label(more);
  }
  writer.if("acc", "lt", imm(1), done);
  writer.set(LEFT, "acc");
  writer.set(AT, at(BUFFER));
  writer.label(write);
  writer.syscall("write", slot(target), slot(AT), slot(LEFT));
  writer.if("acc", "lt", imm(0), done);
  writer.set("moved", "acc");
  writer.add(AT, slot("moved"));
  writer.subtract(LEFT, slot("moved"));
  writer.label(done);
}
