import { CONTROL_KIND, CONTROL_SIZE, REPORT, REPORT_SIZE } from "../records.ts";
import type { Data, Keeper } from "../step.ts";
import {
  ALIVE,
  BUSY,
  moveOutputs,
  STUCK,
  startOutputs,
  storeWritten,
  taken,
  tellAgain,
  tellOutput,
  watchOutputs,
} from "./output.ts";
import { ifReady, PLACE, PLACES, POLL, POLLIN, watch } from "./poll.ts";
import { pump, startPump, watchPump } from "./pump.ts";
import { REPORT_MEMORY, sendReport, startReport } from "./report.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/** The keeper's loop: nothing wakes it but an exit, the engine, or a byte to carry. */

const CONTROL: Data = { kind: "space", size: CONTROL_SIZE, name: "control-record" };
const SIGNALS: Data = { kind: "space", size: 128, name: "signal-records" };
const STATUS: Data = { kind: "space", size: 8, name: "wait-status" };
/** struct timespec; the kernel writes the rest of the time into it. */
const PAUSE: Data = { kind: "space", size: 16, name: "pause" };

const WNOHANG = 1;
const TIOCSWINSZ = 0x5414;
/** How long outputs rest whose file could not be written. */
const PAUSE_NS = 200_000_000;
/** Looks for output after the end, each of which moves up to 64 KiB: somebody else may write on for ever. */
const LOOKS = 32;

/** 1 once the child has been reaped. */
const ENDED = "ended";
/** 1 once the exit has been reported: from then on only the engine, or its absence, matters. */
const REPORTED = "reported";

/** From the moment the workload runs to the keeper's own end. */
export function keepLoop(writer: Writer, keeper: Keeper): void {
  const { stdio } = keeper;
  writer.set(ENDED, imm(0));
  writer.set(REPORTED, imm(0));
  startOutputs(writer, keeper);
  if (stdio.kind === "terminal") startPump(writer);
  startReport(writer, keeper, "started", slot(keeper.child), imm(0));
  sendReport(writer, keeper);

  writer.label("keep-tell");
  tellOutput(writer, keeper);
  writer.label("keep");
  wait(writer, keeper);
  ifReady(writer, PLACE.signals, "keep-signals");
  writer.label("keep-after-signals");
  ifReady(writer, PLACE.control, "keep-control");
  writer.label("keep-after-control");
  moveOutputs(writer, keeper, REPORTED);
  if (stdio.kind === "terminal" && stdio.stdin !== undefined) {
    pump(writer, stdio.stdin, stdio.output.source);
  }
  writer.if(slot(ENDED), "eq", imm(0), "keep-tell");
  writer.if(slot(REPORTED), "eq", imm(0), "keep-last-words");
  ifReady(writer, PLACE.reports, "keep-alone");
  writer.jump("keep-tell");

  signals(writer, keeper);
  control(writer, keeper);
  lastWords(writer, keeper);
  leave(writer, keeper);
}

function wait(writer: Writer, keeper: Keeper): void {
  const { stdio } = keeper;
  const quiet = writer.fresh("quiet");
  const stuck = writer.fresh("stuck");
  const poll = writer.fresh("poll");
  watch(writer, PLACE.signals, slot(keeper.signals), POLLIN);
  watch(writer, PLACE.control, slot(keeper.control), POLLIN);
  for (let place: number = PLACE.reports; place < PLACES; place++) watch(writer, place, imm(-1), 0);
  // Only when the end has been told does it matter that no engine listens.
  writer.if(slot(REPORTED), "eq", imm(0), quiet);
  watch(writer, PLACE.reports, slot(keeper.reports), 0);
  writer.label(quiet);
  watchOutputs(writer, keeper, ENDED, REPORTED);
  if (stdio.kind === "terminal" && stdio.stdin !== undefined) {
    const over = writer.fresh("input-over");
    writer.if(slot(ENDED), "ne", imm(0), over);
    watchPump(writer, stdio.stdin, stdio.output.source);
    writer.label(over);
  }
  writer.set("timeout", imm(0));
  writer.store(at(PAUSE), 0, 8, imm(0));
  writer.store(at(PAUSE), 8, 8, imm(PAUSE_NS));
  writer.if(slot(STUCK), "ne", imm(0), stuck);
  writer.if(slot(ENDED), "eq", imm(0), poll);
  writer.if(slot(REPORTED), "ne", imm(0), poll);
  // After the end there is only what is there already.
  writer.store(at(PAUSE), 8, 8, imm(0));
  writer.label(stuck);
  writer.set("timeout", at(PAUSE));
  writer.label(poll);
  writer.syscall("ppoll", at(POLL), imm(PLACES), slot("timeout"), imm(0), imm(0));
  writer.set(STUCK, imm(0));
  writer.if("acc", "lt", imm(0), "keep");
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
  writer.set("looks", imm(LOOKS));
  writer.load("status", at(STATUS), 0, 4);
  writer.jump("keep-reap");
}

function control(writer: Writer, keeper: Keeper): void {
  const { stdio } = keeper;
  writer.label("keep-control");
  writer.syscall("read", slot(keeper.control), at(CONTROL), imm(CONTROL_SIZE));
  writer.if("acc", "ne", imm(CONTROL_SIZE), "keep-after-control");
  writer.load("control-kind", at(CONTROL), 0, 4);
  const on = (kind: keyof typeof CONTROL_KIND, to: string) =>
    writer.if(slot("control-kind"), "eq", imm(CONTROL_KIND[kind]), to);
  on("taken", "keep-taken");
  on("signal", "keep-kill");
  on("closeStdin", "keep-close-stdin");
  on("release", "keep-leave");
  on("attend", "keep-attend");
  if (stdio.kind === "terminal") on("resize", "keep-resize");
  writer.jump("keep-after-control");

  writer.label("keep-taken");
  taken(writer, keeper, CONTROL);
  writer.jump("keep-after-control");

  writer.label("keep-kill");
  // After the child is reaped its pid may be anyone's.
  writer.if(slot(ENDED), "ne", imm(0), "keep-after-control");
  writer.load("control-first", at(CONTROL), 4, 4);
  writer.syscall("kill", slot(keeper.child), slot("control-first"));
  writer.jump("keep-after-control");

  writer.label("keep-close-stdin");
  if (stdio.kind === "pipes" && stdio.stdin !== undefined) {
    writer.syscall("close", slot(stdio.stdin));
    writer.set(stdio.stdin, imm(-1));
  }
  writer.jump("keep-after-control");

  attend(writer, keeper);

  if (stdio.kind !== "terminal") return;
  writer.label("keep-resize");
  // struct winsize: rows, columns, two unused, 16 bits each.
  const size: Data = { kind: "space", size: 8, name: "window-size" };
  writer.load("control-first", at(CONTROL), 4, 2);
  writer.store(at(size), 0, 2, slot("control-first"));
  writer.load("control-first", at(CONTROL), 8, 2);
  writer.store(at(size), 2, 2, slot("control-first"));
  writer.syscall("ioctl", slot(stdio.output.source), imm(TIOCSWINSZ), at(size));
  writer.jump("keep-after-control");
}

/** For an engine that is not our parent: what it reads from ends when we do. */
function attend(writer: Writer, keeper: Keeper): void {
  const alive: Data = { kind: "text", text: keeper.alive };
  writer.label("keep-attend");
  writer.if(slot(ALIVE), "ge", imm(0), "keep-attending");
  // S_IFIFO|0600; O_RDWR|O_NONBLOCK|O_CLOEXEC, which does not wait for a reader.
  writer.syscall("mknodat", imm(-100), at(alive), imm(0o10600), imm(0));
  writer.syscall("openat", imm(-100), at(alive), imm(0o2004002), imm(0));
  writer.set(ALIVE, "acc");
  writer.label("keep-attending");
  tellAgain(writer, keeper);
  writer.jump("keep-after-control");
}

/** The workload has ended: all of its output first, then its exit, to a file before the engine: it must outlive everyone. */
function lastWords(writer: Writer, keeper: Keeper): void {
  writer.label("keep-last-words");
  const report = writer.fresh("report-exit");
  writer.add("looks", imm(-1));
  writer.if(slot("looks"), "lt", imm(1), report);
  // What was ready may have been so before the end: the first look after it counts.
  writer.if(slot("looks"), "eq", imm(LOOKS - 1), "keep");
  writer.if(slot(STUCK), "ne", imm(0), report);
  writer.if(slot(BUSY), "ne", imm(0), "keep");
  writer.label(report);
  startReport(writer, keeper, "exited", slot("status"), imm(0));
  storeWritten(writer, keeper);
  if (keeper.oom !== undefined) {
    const size = imm(REPORT_SIZE - REPORT.oom - 1);
    writer.syscall("pread64", slot(keeper.oom), at(REPORT_MEMORY, REPORT.oom), size, imm(0));
  }
  // O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC
  const exit: Data = { kind: "text", text: keeper.exit };
  writer.syscall("openat", imm(-100), at(exit), imm(0o2002101), imm(0o600));
  writer.set("exit-file", "acc");
  writer.syscall("write", slot("exit-file"), at(REPORT_MEMORY), imm(REPORT_SIZE));
  writer.syscall("close", slot("exit-file"));
  writer.set(REPORTED, imm(1));
  sendReport(writer, keeper);
  writer.jump("keep");
}

/** No engine listens: it is dead or stopping. All that the next one needs is in files. */
function leave(writer: Writer, keeper: Keeper): void {
  writer.label("keep-alone");
  writer.syscall("exit_group", imm(0));
  writer.label("keep-leave");
  writer.if(slot(ENDED), "eq", imm(0), "keep-after-control");
  for (const path of keeper.remove) {
    writer.syscall("unlinkat", imm(-100), at({ kind: "text", text: path }), imm(0));
  }
  // The last one who holds it takes the container's mounts apart here, before a next start can use the same directories.
  if (keeper.mounts !== undefined) writer.syscall("close", slot(keeper.mounts));
  writer.jump("released");
}

/** Everything that was made for the container is undone: tell the engine, end. */
export function leaveReleased(writer: Writer, keeper: Keeper): void {
  startReport(writer, keeper, "gone", imm(0), imm(0));
  sendReport(writer, keeper);
  writer.syscall("exit_group", imm(0));
}
