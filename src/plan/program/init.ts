import { SIGNALS } from "../../kernel/signals.ts";
import type { Data, Escort, Init, Slot } from "../step.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

const { SIGCHLD } = SIGNALS;
const WNOHANG = 1;
/** struct signalfd_siginfo (signalfd(2)); the signal number is its first field. */
export const SIGNAL: Data = { kind: "space", size: 128, name: "init-signal" };
export const STATUS: Data = { kind: "space", size: 8, name: "init-status" };

/**
 * The loop of pid 1 (`--init`), and of who waits for a container's end: every signal goes to the workload, every
 * child is reaped.
 */
export function lowerInit(writer: Writer, step: Init | Escort): void {
  const loop = writer.fresh("init");
  const reap = writer.fresh("init-reap");
  const ended = writer.fresh("init-ended");
  writer.label(loop);
  writer.syscall("read", slot(step.signals), at(SIGNAL), imm(128));
  writer.if("acc", "lt", imm(0), loop);
  writer.load("init-number", at(SIGNAL), 0, 4);
  writer.if(slot("init-number"), "eq", imm(SIGCHLD), reap);
  writer.syscall("kill", slot(step.child), slot("init-number"));
  writer.jump(loop);
  writer.label(reap);
  reapAll(writer, step.child, ended, loop);
  writer.label(ended);
  endAs(writer);
}

/** Reap who has ended: at `ended` when `child` has, at `others` when nobody else has. */
export function reapAll(writer: Writer, child: Slot, ended: string, others: string): void {
  const next = writer.fresh("reap-next");
  writer.label(next);
  writer.syscall("wait4", imm(-1), at(STATUS), imm(WNOHANG), imm(0));
  writer.if("acc", "eq", slot(child), ended);
  writer.if("acc", "lt", imm(1), others);
  writer.jump(next);
}

/** End as the process did that `wait4` has told of. */
export function endAs(writer: Writer): void {
  const signalled = writer.fresh("init-signalled");
  const plain = writer.fresh("init-no-core");
  // wait(2): the low byte is the signal (with 0x80 for a core dump), the second the exit code.
  writer.load("init-ending", at(STATUS), 0, 1);
  writer.if(slot("init-ending"), "ne", imm(0), signalled);
  writer.load("init-ending", at(STATUS), 1, 1);
  writer.syscall("exit_group", slot("init-ending"));
  writer.label(signalled);
  writer.if(slot("init-ending"), "lt", imm(0x80), plain);
  writer.add("init-ending", imm(-0x80));
  writer.label(plain);
  writer.add("init-ending", imm(128));
  writer.syscall("exit_group", slot("init-ending"));
}
