import type { Data, KeeperStdio, Slot } from "../step.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/**
 * The keeper's part for a container with a terminal: bytes go from the pty master to the stdout FIFO and
 * from the stdin FIFO to the master. One buffer each way; a full side is waited for, so that a slow engine
 * slows the container and nothing is lost. The keeper holds a descriptor of the slave too, so the master
 * never hangs up and an empty master says EAGAIN.
 */

type Terminal = Extract<KeeperStdio, { kind: "terminal" }>;

const SIZE = 4096;
const OUT: Data = { kind: "space", size: SIZE, name: "terminal-out" };
const IN: Data = { kind: "space", size: SIZE, name: "terminal-in" };
const POLLIN = 1;
const POLLOUT = 4;

/** A buffer that is full from `at` on, for `left` bytes. */
const OUT_AT = "out-at";
const OUT_LEFT = "out-left";
const IN_AT = "in-at";
const IN_LEFT = "in-left";

/** Both buffers are empty. */
export function startPump(writer: Writer): void {
  writer.set(OUT_LEFT, imm(0));
  writer.set(IN_LEFT, imm(0));
}

/** Entries `first` (towards the engine) and `first + 1` (towards the terminal) of the poll set. */
export function pumpPollSet(
  writer: Writer,
  stdio: Terminal,
  poll: Data,
  first: number,
  reported: Slot,
): void {
  const done = writer.fresh("pump-polled");
  writer.if(slot(reported), "ne", imm(0), done);
  either(writer, poll, first, OUT_LEFT, stdio.master, stdio.output.writer);
  if (stdio.stdin !== undefined) either(writer, poll, first + 1, IN_LEFT, stdio.stdin, stdio.master);
  writer.label(done);
}

/** Wait to read while the buffer is empty, to write while it is not. */
function either(writer: Writer, poll: Data, index: number, left: Slot, source: Slot, target: Slot): void {
  const full = writer.fresh("pump-full");
  const set = writer.fresh("pump-set");
  writer.if(slot(left), "ne", imm(0), full);
  writer.store(at(poll), index * 8, 4, slot(source));
  writer.store(at(poll), index * 8 + 4, 4, imm(POLLIN));
  writer.jump(set);
  writer.label(full);
  writer.store(at(poll), index * 8, 4, slot(target));
  writer.store(at(poll), index * 8 + 4, 4, imm(POLLOUT));
  writer.label(set);
}

/**
 * Move what can be moved. Once the workload has `ended` and the master is empty, go to `finished`.
 */
export function pumpReady(
  writer: Writer,
  stdio: Terminal,
  poll: Data,
  first: number,
  ended: Slot,
  finished: string,
): void {
  const output = writer.fresh("pump-output");
  const input = writer.fresh("pump-input");
  const drained = writer.fresh("pump-drained");
  const done = writer.fresh("pump-done");
  writer.if(slot("reported"), "ne", imm(0), done);
  // After the end nothing makes the master readable any more, so it is read without waiting for that.
  writer.if(slot(ended), "ne", imm(0), output);
  writer.load("ready", at(poll), first * 8 + 6, 2);
  writer.if(slot("ready"), "eq", imm(0), input);
  writer.label(output);
  move(writer, OUT, OUT_AT, OUT_LEFT, stdio.master, stdio.output.writer, drained);
  writer.if(slot(ended), "eq", imm(0), input);
  writer.if(slot(OUT_LEFT), "eq", imm(0), output);
  writer.jump(done);
  writer.label(drained);
  writer.if(slot(ended), "ne", imm(0), finished);
  writer.label(input);
  if (stdio.stdin !== undefined) {
    writer.load("ready", at(poll), (first + 1) * 8 + 6, 2);
    writer.if(slot("ready"), "eq", imm(0), done);
    move(writer, IN, IN_AT, IN_LEFT, stdio.stdin, stdio.master, done);
  }
  writer.label(done);
}

/** Fill an empty buffer, then write from it; `empty` when there was nothing to read. */
function move(
  writer: Writer,
  buffer: Data,
  position: Slot,
  left: Slot,
  source: Slot,
  target: Slot,
  empty: string,
): void {
  const write = writer.fresh("pump-write");
  const kept = writer.fresh("pump-kept");
  writer.if(slot(left), "ne", imm(0), write);
  writer.syscall("read", slot(source), at(buffer), imm(SIZE));
  writer.if("acc", "lt", imm(1), empty);
  writer.set(left, "acc");
  writer.set(position, at(buffer));
  writer.label(write);
  writer.syscall("write", slot(target), slot(position), slot(left));
  writer.if("acc", "lt", imm(0), kept);
  writer.set("moved", "acc");
  writer.add(position, slot("moved"));
  writer.subtract(left, slot("moved"));
  writer.label(kept);
}

/** The engine is gone: what is in the buffer and in the master follows what was in the FIFO. */
export function saveTerminal(writer: Writer, stdio: Terminal, file: Slot): void {
  const next = writer.fresh("save-terminal");
  const done = writer.fresh("saved-terminal");
  const empty = writer.fresh("save-master");
  writer.if(slot(OUT_LEFT), "eq", imm(0), empty);
  writer.syscall("write", slot(file), slot(OUT_AT), slot(OUT_LEFT));
  writer.label(empty);
  writer.label(next);
  writer.syscall("read", slot(stdio.master), at(OUT), imm(SIZE));
  writer.if("acc", "lt", imm(1), done);
  writer.set(OUT_LEFT, "acc");
  writer.syscall("write", slot(file), at(OUT), slot(OUT_LEFT));
  writer.jump(next);
  writer.label(done);
}
