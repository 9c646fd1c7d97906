import { ERRNO, errnoName, errnoText } from "../kernel/errno.ts";
import type { Request } from "../kernel/netlink/message.ts";
import { hintFor } from "./hints.ts";
import type { NumberedStep, Side } from "./program/numbered.ts";
import { HOOK_STATUS } from "./records.ts";
import type { Hook, Numbered, Step } from "./step.ts";

/** A step of a plan that failed, as facts. `message` is one sentence for people. */
export class StepError extends Error {
  override readonly name = "StepError";
  /** The step's number in its plan. */
  readonly number: number;
  readonly side: Side;
  readonly step: Numbered;
  /** The call as the kernel names it. */
  readonly call: string;
  /** The kernel's error by name, `"EPERM"`. */
  readonly errno: string;
  /** What to do about it, where there is something to say. */
  readonly hint: string | undefined;

  constructor(number: number, failed: NumberedStep, errno: number) {
    const call = callName(failed.step);
    const ended = failed.step.kind === "hook" ? hookEnd(failed.step, errno) : undefined;
    const hint = hintFor(failed.step, call, errnoName(errno));
    const option = failed.step.option === undefined ? "" : ` (${failed.step.option})`;
    super(
      ended ??
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

/** How a hook ended, as a sentence; undefined where it could not be run at all. */
function hookEnd(hook: Hook, errno: number): string | undefined {
  if (errno === ERRNO.ETIMEDOUT)
    return `Cannot ${hook.why}: it did not end within ${hook.timeout ?? 0} seconds and was killed`;
  if (errno < HOOK_STATUS) return undefined;
  const status = errno - HOOK_STATUS;
  const signal = status & 0x7f;
  return signal === 0
    ? `Cannot ${hook.why}: it ended with status ${status >> 8}`
    : `Cannot ${hook.why}: signal ${signal} killed it`;
}

/**
 * A program that could not be executed at all, as an error for people. A file system mounted noexec is the usual cause.
 * @param directory where it was, or where it was tried last
 */
export function cannotExecute(directory: string, cause: unknown): Error {
  const errno = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  const advice: Readonly<Record<string, string>> = {
    EACCES: `${directory} is on a file system mounted noexec: remount it with exec`,
    ENOEXEC: "it was made for another architecture than this machine's",
    EAGAIN: "a limit of processes is used up: kernel.pid_max, ulimit -u, or pids.max of the engine's cgroup",
    ENOMEM: "free some memory, or raise the limit of the engine's own cgroup",
  };
  const hint = advice[errno] === undefined ? "" : `; ${advice[errno]}`;
  return new Error(`Cannot execute the launch program in ${directory}: ${errno}${hint}`, { cause });
}

/** The kernel call behind a step. */
export function callName(step: Step | Numbered): string {
  switch (step.kind) {
    case "call":
      return step.call;
    case "clone":
    case "userMap":
      return "clone3";
    case "exec":
      return "execve";
    case "awaitExec":
      return "read";
    case "lookup":
      return "faccessat";
    case "receive":
      return "recvmsg";
    case "hook":
      return "execve";
    case "attempt":
      return step.steps[0] === undefined ? "attempt" : callName(step.steps[0]);
    case "netlink":
      return "sendto";
    case "message":
    case "dump":
      return requestName(step.request);
    case "keep":
    case "init":
    case "escort":
      return "ppoll";
    case "relay":
      return "sendto";
    case "expect":
    case "decimal":
    case "load":
    case "store":
      return step.kind;
  }
}

/** `ip link add`, `nft add rule`: what people know a request by. */
function requestName({ words }: Request): string {
  const [tool = "", rest = "", more = ""] = words.filter((word) => typeof word === "string");
  if (tool === "nft") return `nft ${rest.split(" ").slice(0, 2).join(" ")}`;
  const options = words.filter((word) => typeof word === "string" && !word.startsWith("-"));
  return more === "" ? tool : options.slice(0, 3).join(" ");
}
