import { errnoName, errnoText } from "../kernel/errno.ts";
import type { NumberedStep, Side } from "./program/lower.ts";
import type { Step } from "./step.ts";

/** A step of a plan that failed, as facts. `message` is one sentence for people. */
export class StepError extends Error {
  override readonly name = "StepError";
  /** The step's number in its plan. */
  readonly number: number;
  readonly side: Side;
  readonly step: Step;
  /** The call as the kernel names it. */
  readonly call: string;
  /** The kernel's error by name, `"EPERM"`. */
  readonly errno: string;
  /** What to do about it, where there is something to say. */
  readonly hint: string | undefined;

  constructor(number: number, failed: NumberedStep, errno: number) {
    const call = callName(failed.step);
    const hint = failed.step.hint ?? HINTS[errnoName(errno)];
    const option = failed.step.option === undefined ? "" : ` (${failed.step.option})`;
    super(
      `Cannot ${failed.step.why}${option}: ${call}: ${errnoText(errno)} (${errnoName(errno)})${hint === undefined ? "" : `; ${hint}`}`,
    );
    this.number = number;
    this.side = failed.side;
    this.step = failed.step;
    this.call = call;
    this.errno = errnoName(errno);
    this.hint = hint;
  }
}

/** General advice by error, for steps that have none of their own. */
const HINTS: Readonly<Record<string, string>> = {
  EPERM: "cais needs the capabilities of root for this",
  ENOSPC: "free some space, or a limit such as user.max_mnt_namespaces or fs.inotify is used up",
  ENOMEM: "free some memory, or raise the limit",
  EMFILE: "raise the limit of open files (ulimit -n)",
  ENFILE: "the whole machine is out of descriptors (fs.file-max)",
  ENOSYS: "this kernel does not have the call; cais needs Linux 5.12 or newer",
  ENODEV: "this kernel does not have the file system",
};

/** The kernel call behind a step. */
export function callName(step: Step): string {
  switch (step.kind) {
    case "call":
      return step.call;
    case "clone":
      return "clone3";
    case "exec":
      return "execve";
    case "awaitExec":
      return "read";
    case "receive":
      return "recvmsg";
    case "attempt":
      return step.steps[0] === undefined ? "attempt" : callName(step.steps[0]);
    case "keep":
    case "init":
      return "ppoll";
    case "decimal":
    case "load":
    case "store":
      return step.kind;
  }
}
