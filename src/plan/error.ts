import { dirname } from "node:path";
import { errnoName, errnoText } from "../kernel/errno.ts";
import { hintFor } from "./hints.ts";
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
    const hint = hintFor(failed.step, call, errnoName(errno));
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

/**
 * A program that could not be executed at all, as an error for people. A file system mounted noexec is the usual
 * cause: programs are written into the run directory.
 */
export function cannotExecute(path: string, cause: unknown): Error {
  const errno = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  const advice: Readonly<Record<string, string>> = {
    EACCES: `${dirname(path)} is on a file system mounted noexec: choose another run directory with --run, or remount it`,
    ENOEXEC: "it was made for another architecture than this machine's",
    EAGAIN: "a limit of processes is used up: kernel.pid_max, ulimit -u, or pids.max of the engine's cgroup",
    ENOMEM: "free some memory, or raise the limit of the engine's own cgroup",
  };
  const hint = advice[errno] === undefined ? "" : `; ${advice[errno]}`;
  return new Error(`Cannot execute the launch program ${path}: ${errno}${hint}`, { cause });
}

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
    case "lookup":
      return "faccessat";
    case "receive":
      return "recvmsg";
    case "attempt":
      return step.steps[0] === undefined ? "attempt" : callName(step.steps[0]);
    case "keep":
    case "init":
    case "escort":
      return "ppoll";
    case "decimal":
    case "load":
    case "store":
      return step.kind;
  }
}
