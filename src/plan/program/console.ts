import { ERRNO } from "../../kernel/errno.ts";
import { TTY } from "../../kernel/flags.ts";
import { SIGNALS } from "../../kernel/signals.ts";
import type { Data, Escort, Init, Terminal } from "../step.ts";
import { endAs, lowerInit, reapAll, SIGNAL } from "./init.ts";
import { ifReady, PLACE, PLACES, POLL, POLLIN, POLLOUT, watch } from "./poll.ts";
import { pump, startPump, watchPump } from "./pump.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/** Who waits for a process with a terminal: bytes go between that and the caller's descriptors 0 and 1. */

const SIZE = 4096;
const BUFFER: Data = { kind: "space", size: SIZE, name: "terminal-out" };
/** struct winsize (ioctl_tty(2)). */
const WINDOW: Data = { kind: "space", size: 8, name: "window-size" };
/** struct pollfd of descriptor 1 alone. */
const STDOUT: Data = { kind: "space", size: 8, name: "poll-stdout" };
/** Reads after the end: somebody else may have the terminal still, and write on for ever. */
const LOOKS = 64;

/** Descriptor 0 until it has ended. */
const INPUT = "console-in";
/** How many reads are left once the process has ended; 0 as long as it lives. */
const LAST = "console-last";
const AT = "console-at";
const LEFT = "console-left";

/** What is not for the process: its own size is told to its terminal, the others are of our own reads and writes. */
const OURS = ["SIGPIPE", "SIGTTIN", "SIGTTOU"] as const;

/** The loop of who waits for a process, with or without a terminal of its. */
export function lowerWaiting(writer: Writer, step: Init | Escort): void {
  if (step.kind === "escort" && step.terminal !== undefined) lowerConsole(writer, step, step.terminal);
  else lowerInit(writer, step);
}

function lowerConsole(writer: Writer, step: Escort, terminal: Terminal): void {
  const loop = writer.fresh("console");
  const output = writer.fresh("console-output");
  const input = writer.fresh("console-input");
  const signalled = writer.fresh("console-signal");
  writer.set(INPUT, imm(0));
  writer.set(LAST, imm(0));
  startPump(writer);
  resize(writer, terminal);
  writer.label(loop);
  for (let place = 0; place < PLACES; place++) watch(writer, place, imm(-1), 0);
  watch(writer, PLACE.signals, slot(step.signals), POLLIN);
  watch(writer, PLACE.outputs, slot(terminal.master), POLLIN);
  watchPump(writer, INPUT, terminal.master);
  writer.syscall("ppoll", at(POLL), imm(PLACES), imm(0), imm(0), imm(0));
  writer.if("acc", "lt", imm(0), loop);
  ifReady(writer, PLACE.outputs, output);
  writer.label(input);
  pump(writer, INPUT, terminal.master, "ends");
  ifReady(writer, PLACE.signals, signalled);
  writer.jump(loop);

  carryOutput(writer, terminal, output, input);

  writer.label(signalled);
  signals(writer, step, terminal, loop, output);
}

/** From the terminal to descriptor 1; after the end all that is there, and then it is over. */
function carryOutput(writer: Writer, { callers, master }: Terminal, output: string, go: string): void {
  const write = writer.fresh("console-write");
  const wait = writer.fresh("console-wait");
  const written = writer.fresh("console-written");
  const over = writer.fresh("console-over");
  writer.label(output);
  writer.syscall("read", slot(master), at(BUFFER), imm(SIZE));
  writer.set(LEFT, "acc");
  writer.if("acc", "lt", imm(1), over);
  writer.set(AT, at(BUFFER));
  writer.label(write);
  writer.syscall("write", imm(1), slot(AT), slot(LEFT));
  writer.if("acc", "eq", imm(-ERRNO.EAGAIN), wait);
  // Nobody reads it any more: it is let go.
  writer.if("acc", "lt", imm(1), written);
  writer.set("moved", "acc");
  writer.add(AT, slot("moved"));
  writer.subtract(LEFT, slot("moved"));
  writer.if(slot(LEFT), "ne", imm(0), write);
  writer.label(written);
  writer.if(slot(LAST), "eq", imm(0), go);
  writer.add(LAST, imm(-1));
  writer.if(slot(LAST), "ne", imm(0), output);
  writer.label(over);
  writer.if(slot(LAST), "eq", imm(0), go);
  if (callers !== undefined)
    writer.syscall("ioctl", imm(callers.descriptor), imm(TTY.TCSETSW), at(callers.before));
  endAs(writer);
  writer.label(wait);
  writer.store(at(STDOUT), 0, 4, imm(1));
  writer.store(at(STDOUT), 4, 4, imm(POLLOUT));
  writer.syscall("ppoll", at(STDOUT), imm(1), imm(0), imm(0), imm(0));
  writer.jump(write);
}

function signals(writer: Writer, step: Escort, terminal: Terminal, loop: string, output: string): void {
  const reap = writer.fresh("console-reap");
  const ended = writer.fresh("console-ended");
  const resized = writer.fresh("console-resized");
  writer.syscall("read", slot(step.signals), at(SIGNAL), imm(128));
  writer.if("acc", "lt", imm(0), loop);
  writer.load("console-number", at(SIGNAL), 0, 4);
  writer.if(slot("console-number"), "eq", imm(SIGNALS.SIGCHLD), reap);
  writer.if(slot("console-number"), "eq", imm(SIGNALS.SIGWINCH), resized);
  for (const name of OURS) writer.if(slot("console-number"), "eq", imm(SIGNALS[name]), loop);
  writer.syscall("kill", slot(step.child), slot("console-number"));
  writer.jump(loop);
  writer.label(resized);
  resize(writer, terminal);
  writer.jump(loop);
  writer.label(reap);
  reapAll(writer, step.child, ended, loop);
  writer.label(ended);
  writer.set(LAST, imm(LOOKS));
  writer.jump(output);
}

/** As large as the caller's, where that is one. */
function resize(writer: Writer, { callers, master }: Terminal): void {
  if (callers === undefined) return;
  const none = writer.fresh("console-no-size");
  writer.syscall("ioctl", imm(callers.descriptor), imm(TTY.TIOCGWINSZ), at(WINDOW));
  writer.if("acc", "lt", imm(0), none);
  writer.syscall("ioctl", slot(master), imm(TTY.TIOCSWINSZ), at(WINDOW));
  writer.label(none);
}
