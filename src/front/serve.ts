import { ERRNO } from "../kernel/errno.ts";
import { SFD, SIG } from "../kernel/flags.ts";
import { type SignalName, signalSet } from "../kernel/signals.ts";
import { POLLIN, POLLOUT } from "../plan/program/poll.ts";
import { at, imm, slot, type Writer } from "../plan/program/writer.ts";
import type { Data, Slot } from "../plan/step.ts";
import { COMMAND_SIGNALS, NOTICE, ORDER, RECORD } from "../wire/front.ts";
import { CONNECTION } from "./ask.ts";

/** signalfd of the signals that the engine is told of. */
export const SIGNAL_FD: Slot = "signal-fd";

/** As of a program that SIGPIPE ended. */
const BROKEN_PIPE = 141;
const LOST = "cais: the engine ended before the command did\n";
/** Docker's exit code for an engine's failure. */
const FAILED = 125;

const BUFFER: Data = { kind: "space", size: 65536, name: "buffer" };
const OLD_MASK: Data = { kind: "space", size: 8, name: "old-mask" };
/** struct signalfd_siginfo (signalfd(2)); the signal's number is its first field. */
const SIGINFO: Data = { kind: "space", size: 128, name: "siginfo" };
/** struct pollfd (poll(2)): signals, connection; the third one is for an output that is full. */
const POLL: Data = { kind: "space", size: 24, name: "poll" };
const ORDERED: Data = { kind: "space", size: RECORD.size, name: "order" };
const TOLD: Data = { kind: "space", size: RECORD.size, name: "notice" };

/** A set of signals in memory. */
const mask = (names: readonly SignalName[]): Data => ({
  kind: "bytes",
  bytes: new Uint8Array(BigUint64Array.of(signalSet(names)).buffer),
});

/** From here on signals wait: those for the engine to be read, SIGPIPE to be told by a call's error. */
export function holdSignals(writer: Writer): void {
  const held = mask([...COMMAND_SIGNALS, "SIGPIPE"]);
  writer.syscall("rt_sigprocmask", imm(SIG.BLOCK), at(held), at(OLD_MASK), imm(8));
}

/** As if nothing had been: signals come as they did, nothing of ours is open. */
export function withdraw(writer: Writer): void {
  writer.syscall("close", slot(CONNECTION));
  writer.syscall("close", slot(SIGNAL_FD));
  writer.syscall("rt_sigprocmask", imm(SIG.SETMASK), at(OLD_MASK), imm(0), imm(8));
}

/** Do what the engine orders until the command has ended. Goes to `elsewhere` when it declines. */
export function serveOrders(writer: Writer, elsewhere: string): void {
  const loop = writer.fresh("orders");
  const quiet = writer.fresh("no-signal");
  const lost = writer.fresh("lost");
  writer.syscall("signalfd4", imm(-1), at(mask(COMMAND_SIGNALS)), imm(8), imm(SFD.CLOEXEC));
  writer.set(SIGNAL_FD, "acc");
  writer.label(loop);
  writer.store(at(POLL), 0, 4, slot(SIGNAL_FD));
  writer.store(at(POLL), 4, 4, imm(POLLIN));
  writer.store(at(POLL), 8, 4, slot(CONNECTION));
  writer.store(at(POLL), 12, 4, imm(POLLIN));
  writer.syscall("ppoll", at(POLL), imm(2), imm(0), imm(0), imm(0));
  // After a stop the kernel may say so.
  writer.if("acc", "lt", imm(0), loop);
  writer.load("ready", at(POLL), 6, 2);
  writer.if(slot("ready"), "eq", imm(0), quiet);
  tellSignal(writer, lost);
  writer.label(quiet);
  writer.load("ready", at(POLL), 14, 2);
  writer.if(slot("ready"), "eq", imm(0), loop);
  readOrder(writer, lost);
  obey(writer, loop, lost, elsewhere);

  writer.label(lost);
  writer.syscall("write", imm(2), at({ kind: "text", text: LOST }), imm(LOST.length));
  writer.syscall("exit_group", imm(FAILED));
}

function tellSignal(writer: Writer, lost: string): void {
  writer.syscall("read", slot(SIGNAL_FD), at(SIGINFO), imm(128));
  writer.load("signal", at(SIGINFO), 0, 4);
  writer.store(at(TOLD), RECORD.kind, 8, imm(NOTICE.signal));
  writer.store(at(TOLD), RECORD.value, 8, slot("signal"));
  writer.syscall("write", slot(CONNECTION), at(TOLD), imm(RECORD.size));
  writer.if("acc", "lt", imm(0), lost);
}

function readOrder(writer: Writer, lost: string): void {
  const next = writer.fresh("order");
  writer.set("order-at", at(ORDERED));
  writer.set("order-left", imm(RECORD.size));
  writer.label(next);
  writer.syscall("read", slot(CONNECTION), slot("order-at"), slot("order-left"));
  writer.if("acc", "lt", imm(1), lost);
  writer.set("moved", "acc");
  writer.add("order-at", slot("moved"));
  writer.subtract("order-left", slot("moved"));
  writer.if(slot("order-left"), "ne", imm(0), next);
}

function obey(writer: Writer, loop: string, lost: string, elsewhere: string): void {
  const label = { stdout: "", stderr: "", exit: "", signal: "" };
  writer.load("kind", at(ORDERED), RECORD.kind, 8);
  writer.load("value", at(ORDERED), RECORD.value, 8);
  for (const kind of ["stdout", "stderr", "exit", "signal"] as const) {
    label[kind] = writer.fresh(`order-${kind}`);
    writer.if(slot("kind"), "eq", imm(ORDER[kind]), label[kind]);
  }
  writer.if(slot("kind"), "eq", imm(ORDER.decline), elsewhere);
  writer.jump(lost);

  writer.label(label.exit);
  writer.syscall("exit_group", slot("value"));

  writer.label(label.signal);
  takeSignal(writer);
  writer.jump(loop);

  const pass = writer.fresh("pass");
  writer.label(label.stdout);
  writer.set("output", imm(1));
  writer.jump(pass);
  writer.label(label.stderr);
  writer.set("output", imm(2));
  writer.label(pass);
  passOn(writer, loop, lost);
}

/** Moves `value` bytes from the connection to descriptor `output`. */
function passOn(writer: Writer, loop: string, lost: string): void {
  const next = writer.fresh("pass-next");
  const fits = writer.fresh("pass-fits");
  const write = writer.fresh("pass-write");
  const wrote = writer.fresh("pass-wrote");
  const full = writer.fresh("pass-full");
  const broken = writer.fresh("pass-broken");
  writer.label(next);
  writer.if(slot("value"), "eq", imm(0), loop);
  writer.set("room", slot("value"));
  writer.if(slot("room"), "lt", imm(65536), fits);
  writer.set("room", imm(65536));
  writer.label(fits);
  writer.syscall("read", slot(CONNECTION), at(BUFFER), slot("room"));
  writer.if("acc", "lt", imm(1), lost);
  writer.set("pass-left", "acc");
  writer.subtract("value", slot("pass-left"));
  writer.set("pass-at", at(BUFFER));
  writer.label(write);
  writer.if(slot("pass-left"), "eq", imm(0), next);
  writer.syscall("write", slot("output"), slot("pass-at"), slot("pass-left"));
  writer.if("acc", "ge", imm(0), wrote);
  writer.if("acc", "eq", imm(-ERRNO.EAGAIN), full);
  writer.if("acc", "eq", imm(-ERRNO.EINTR), write);
  writer.if("acc", "eq", imm(-ERRNO.EPIPE), broken);
  writer.syscall("exit_group", imm(1));
  writer.label(broken);
  writer.syscall("exit_group", imm(BROKEN_PIPE));
  // Somebody else made it non-blocking: it is shared with them.
  writer.label(full);
  writer.store(at(POLL), 16, 4, slot("output"));
  writer.store(at(POLL), 20, 4, imm(POLLOUT));
  writer.syscall("ppoll", at(POLL, 16), imm(1), imm(0), imm(0), imm(0));
  writer.jump(write);
  writer.label(wrote);
  writer.set("moved", "acc");
  writer.add("pass-at", slot("moved"));
  writer.subtract("pass-left", slot("moved"));
  writer.jump(write);
}

/** The signal does what it does to a program that knows nothing of it; if we are still there, we go on. */
function takeSignal(writer: Writer): void {
  writer.syscall("getpid");
  writer.set("own-pid", "acc");
  writer.syscall("kill", slot("own-pid"), slot("value"));
  writer.syscall("rt_sigprocmask", imm(SIG.UNBLOCK), at(mask(COMMAND_SIGNALS)), imm(0), imm(8));
  writer.syscall("rt_sigprocmask", imm(SIG.BLOCK), at(mask(COMMAND_SIGNALS)), imm(0), imm(8));
}
