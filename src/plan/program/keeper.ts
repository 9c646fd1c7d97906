import { CONTROL_KIND, CONTROL_SIZE, REPORT, REPORT_KIND, REPORT_MAGIC, REPORT_SIZE } from "../records.ts";
import type { Data, Keeper } from "../step.ts";
import type { Operand } from "./ops.ts";
import { pumpPollSet, pumpReady, saveTerminal, startPump } from "./pump.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/** The keeper's loop: nothing wakes it but an exit, the engine, or (with a terminal) a byte to carry. */

export const REPORT_MEMORY: Data = { kind: "space", size: REPORT_SIZE, name: "report" };
/** struct pollfd[6] (poll(2)): fd, events, revents. */
const POLL: Data = { kind: "space", size: 48, name: "poll" };
const CONTROL: Data = { kind: "space", size: CONTROL_SIZE, name: "control-record" };
const SIGNALS: Data = { kind: "space", size: 128, name: "signal-records" };
const STATUS: Data = { kind: "space", size: 8, name: "wait-status" };
const COPY: Data = { kind: "space", size: 4096, name: "copy-buffer" };

const POLLIN = 1;
const POLLOUT = 4;
const EAGAIN = -11;
const WNOHANG = 1;
const CLOCK_REALTIME = 0;
const TIOCSWINSZ = 0x5414;

/** Places in the poll set. */
const AT_SIGNALS = 0;
const AT_CONTROL = 1;
const AT_REPORTS = 2;
const AT_PUMP = 3;
const POLL_ENTRIES = 6;

/** 1 once the child has been reaped. */
const ENDED = "ended";
/** 1 once the exit has been reported: from then on only the engine, or its absence, matters. */
const REPORTED = "reported";

/** Fill in a report of `kind`; the values are as in src/plan/records.ts. */
export function startReport(
  writer: Writer,
  keeper: Keeper,
  kind: keyof typeof REPORT_KIND,
  first: Operand,
  second: Operand,
): void {
  const token: Data = { kind: "bytes", bytes: keeper.token };
  writer.store(at(REPORT_MEMORY), REPORT.magic, 4, imm(REPORT_MAGIC));
  writer.store(at(REPORT_MEMORY), REPORT.kind, 4, imm(REPORT_KIND[kind]));
  for (const half of [0, 8]) {
    writer.load("token", at(token), half, 8);
    writer.store(at(REPORT_MEMORY), REPORT.token + half, 8, slot("token"));
  }
  writer.store(at(REPORT_MEMORY), REPORT.first, 8, first);
  writer.store(at(REPORT_MEMORY), REPORT.second, 8, second);
  writer.syscall("clock_gettime", imm(CLOCK_REALTIME), at(REPORT_MEMORY, REPORT.time));
  writer.syscall("getpid");
  writer.set("own-pid", "acc");
  writer.store(at(REPORT_MEMORY), REPORT.keeper, 8, slot("own-pid"));
}

/** Write the report to the engine; wait while its FIFO is full, give up when nobody listens. */
export function sendReport(writer: Writer, keeper: Keeper): void {
  const again = writer.fresh("send");
  const sent = writer.fresh("sent");
  const alone: Data = { kind: "space", size: 8, name: "poll-reports" };
  writer.label(again);
  writer.syscall("write", slot(keeper.reports), at(REPORT_MEMORY), imm(REPORT_SIZE));
  writer.if("acc", "ne", imm(EAGAIN), sent);
  writer.store(at(alone), 0, 4, slot(keeper.reports));
  writer.store(at(alone), 4, 4, imm(POLLOUT));
  writer.syscall("ppoll", at(alone), imm(1), imm(0), imm(0), imm(0));
  writer.jump(again);
  writer.label(sent);
}

/** From the moment the workload runs to the keeper's own end. */
export function keepLoop(writer: Writer, keeper: Keeper): void {
  const { stdio } = keeper;
  writer.set(ENDED, imm(0));
  writer.set(REPORTED, imm(0));
  if (stdio.kind === "terminal") startPump(writer);
  startReport(writer, keeper, "started", slot(keeper.child), imm(0));
  sendReport(writer, keeper);

  writer.label("keep");
  pollSet(writer, keeper);
  writer.syscall("ppoll", at(POLL), imm(POLL_ENTRIES), imm(0), imm(0), imm(0));
  writer.if("acc", "lt", imm(0), "keep");
  ifReady(writer, AT_SIGNALS, "keep-signals");
  writer.label("keep-after-signals");
  ifReady(writer, AT_CONTROL, "keep-control");
  writer.label("keep-after-control");
  ifReady(writer, AT_REPORTS, "keep-alone");
  if (stdio.kind === "terminal") pumpReady(writer, stdio, POLL, AT_PUMP, ENDED, "keep-report-exit");
  writer.jump("keep");

  signals(writer, keeper);
  control(writer, keeper);
  reportExit(writer, keeper);
  leave(writer, keeper);
}

function pollSet(writer: Writer, keeper: Keeper): void {
  entry(writer, AT_SIGNALS, slot(keeper.signals), POLLIN);
  entry(writer, AT_CONTROL, slot(keeper.control), POLLIN);
  // Only when the child has ended does it matter that no engine listens; a descriptor of -1 is passed over.
  const quiet = writer.fresh("quiet");
  entry(writer, AT_REPORTS, imm(-1), 0);
  for (let index = AT_PUMP; index < POLL_ENTRIES; index++) entry(writer, index, imm(-1), 0);
  writer.if(slot(ENDED), "eq", imm(0), quiet);
  entry(writer, AT_REPORTS, slot(keeper.reports), 0);
  writer.label(quiet);
  if (keeper.stdio.kind === "terminal") pumpPollSet(writer, keeper.stdio, POLL, AT_PUMP, REPORTED);
}

function entry(writer: Writer, index: number, descriptor: Operand, events: number): void {
  writer.store(at(POLL), index * 8, 4, descriptor);
  writer.store(at(POLL), index * 8 + 4, 4, imm(events));
}

function ifReady(writer: Writer, index: number, to: string): void {
  writer.load("ready", at(POLL), index * 8 + 6, 2);
  writer.if(slot("ready"), "ne", imm(0), to);
}

/** Reap everything; the container's first process ends the keeping. */
function signals(writer: Writer, keeper: Keeper): void {
  writer.label("keep-signals");
  writer.syscall("read", slot(keeper.signals), at(SIGNALS), imm(128));
  writer.label("keep-reap");
  writer.syscall("wait4", imm(-1), at(STATUS), imm(WNOHANG), imm(0));
  writer.if("acc", "eq", slot(keeper.child), "keep-child-ended");
  writer.if("acc", "lt", imm(1), "keep-after-signals");
  writer.jump("keep-reap");
  writer.label("keep-child-ended");
  writer.if(slot(ENDED), "ne", imm(0), "keep-reap");
  writer.set(ENDED, imm(1));
  writer.load("status", at(STATUS), 0, 4);
  recordExit(writer, keeper);
  // With a terminal, what its master still holds goes first; the pump reports the exit when it is empty.
  if (keeper.stdio.kind === "terminal") writer.jump("keep-reap");
  else writer.jump("keep-report-exit");
}

function control(writer: Writer, keeper: Keeper): void {
  writer.label("keep-control");
  writer.syscall("read", slot(keeper.control), at(CONTROL), imm(CONTROL_SIZE));
  writer.if("acc", "ne", imm(CONTROL_SIZE), "keep-after-control");
  writer.load("control-kind", at(CONTROL), 0, 4);
  const on = (kind: keyof typeof CONTROL_KIND, to: string) =>
    writer.if(slot("control-kind"), "eq", imm(CONTROL_KIND[kind]), to);
  on("signal", "keep-kill");
  on("closeStdin", "keep-close-stdin");
  on("release", "keep-leave");
  on("save", "keep-save");
  if (keeper.stdio.kind === "terminal") on("resize", "keep-resize");
  writer.jump("keep-after-control");

  writer.label("keep-kill");
  // After the child is reaped its pid may be anyone's.
  writer.if(slot(ENDED), "ne", imm(0), "keep-after-control");
  writer.load("control-first", at(CONTROL), 4, 4);
  writer.syscall("kill", slot(keeper.child), slot("control-first"));
  writer.jump("keep-after-control");

  writer.label("keep-close-stdin");
  if (keeper.stdio.kind === "pipes" && keeper.stdio.stdin !== undefined) {
    writer.syscall("close", slot(keeper.stdio.stdin));
    writer.set(keeper.stdio.stdin, imm(-1));
  }
  writer.jump("keep-after-control");

  if (keeper.stdio.kind !== "terminal") return;
  writer.label("keep-resize");
  // struct winsize: rows, columns, two unused, 16 bits each.
  const size: Data = { kind: "space", size: 8, name: "window-size" };
  writer.load("control-first", at(CONTROL), 4, 2);
  writer.store(at(size), 0, 2, slot("control-first"));
  writer.load("control-first", at(CONTROL), 8, 2);
  writer.store(at(size), 2, 2, slot("control-first"));
  writer.syscall("ioctl", slot(keeper.stdio.master), imm(TIOCSWINSZ), at(size));
  writer.jump("keep-after-control");
}

/** To the file first: the record must outlive everyone. */
function recordExit(writer: Writer, keeper: Keeper): void {
  startReport(writer, keeper, "exited", slot("status"), imm(0));
  if (keeper.oom !== undefined) {
    writer.syscall(
      "pread64",
      slot(keeper.oom),
      at(REPORT_MEMORY, REPORT.oom),
      imm(REPORT_SIZE - REPORT.oom - 1),
      imm(0),
    );
  }
  const file = openNew(writer, keeper.exit);
  writer.syscall("write", slot(file), at(REPORT_MEMORY), imm(REPORT_SIZE));
  writer.syscall("close", slot(file));
}

/** All output is in the FIFOs: say that the workload has ended. */
function reportExit(writer: Writer, keeper: Keeper): void {
  writer.label("keep-report-exit");
  // Readers see the end of the output once nobody but them is left.
  for (const output of outputs(keeper)) {
    writer.syscall("close", slot(output.writer));
    writer.set(output.writer, imm(-1));
  }
  writer.set(REPORTED, imm(1));
  sendReport(writer, keeper);
  writer.jump("keep");
}

/** No engine listens: it is dead or stopping. Save what it did not read, or leave if nothing is left. */
function leave(writer: Writer, keeper: Keeper): void {
  writer.label("keep-save");
  // An engine that asks to save before the exit made a mistake.
  writer.if(slot(ENDED), "eq", imm(0), "keep-after-control");
  writer.label("keep-alone");
  for (const output of outputs(keeper)) {
    openNew(writer, output.leftover);
    const next = writer.fresh("save");
    const done = writer.fresh("saved");
    writer.label(next);
    writer.syscall("read", slot(output.reader), at(COPY), imm(4096));
    writer.if("acc", "lt", imm(1), done);
    writer.set("copied", "acc");
    writer.syscall("write", slot(FILE), at(COPY), slot("copied"));
    writer.jump(next);
    writer.label(done);
  }
  // A terminal has one output, whose file is still open.
  if (keeper.stdio.kind === "terminal") saveTerminal(writer, keeper.stdio, FILE);
  startReport(writer, keeper, "gone", imm(0), imm(0));
  writer.syscall("write", slot(keeper.reports), at(REPORT_MEMORY), imm(REPORT_SIZE));
  writer.syscall("exit_group", imm(0));
  writer.label("keep-leave");
  writer.if(slot(ENDED), "eq", imm(0), "keep-after-control");
  for (const path of keeper.remove) {
    writer.syscall("unlinkat", imm(-100), at({ kind: "text", text: path }), imm(0));
  }
  writer.jump("released");
}

/** Everything that was made for the container is undone: tell the engine, end. */
export function leaveReleased(writer: Writer, keeper: Keeper): void {
  startReport(writer, keeper, "gone", imm(0), imm(0));
  sendReport(writer, keeper);
  writer.syscall("exit_group", imm(0));
}

/** Slot of the file that was opened last. */
const FILE = "kept-file";

function openNew(writer: Writer, path: string): string {
  // O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC
  writer.syscall("openat", imm(-100), at({ kind: "text", text: path }), imm(0o2002101), imm(0o600));
  writer.set(FILE, "acc");
  return FILE;
}

function outputs(keeper: Keeper) {
  return keeper.stdio.kind === "terminal" ? [keeper.stdio.output] : keeper.stdio.outputs;
}
