import { ERRNO } from "../../kernel/errno.ts";
import { CLONE, CLOSE_RANGE_CLOEXEC, SIG } from "../../kernel/flags.ts";
import { SIGNALS } from "../../kernel/signals.ts";
import { stringArray, struct, u64 } from "../build.ts";
import { HOOK_STATUS } from "../records.ts";
import type { Data, Hook } from "../step.ts";
import { lowerDecimal } from "./decimal.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

const MFD_CLOEXEC = 1;
const POLLIN = 1;
const NO_SIGNALS = struct([u64(0)]);
/** struct timespec of a timeout: seconds and nanoseconds. */
const timespec = (seconds: number): Data => struct([u64(seconds, 0)]);
const POLL: Data = { kind: "space", size: 8, name: "hook-poll" };
const STATUS: Data = { kind: "space", size: 8, name: "hook-status" };
const DIGITS: Data & { kind: "space" } = { kind: "space", size: 32, name: "hook-pid" };
/** What the hook's process could not do. It shares the memory of this one, which waits for its execve (vfork(2)). */
const ERROR = "hook-error";

/**
 * Run a hook to its end: its input in a file of memory that nobody else has, its process as vfork(2) makes it, its
 * end by a pidfd, so that a timeout needs no clock of its own. Goes to `failed` with the error in the accumulator.
 */
export function lowerHook(
  writer: Writer,
  hook: Hook,
  number: number,
  failed: string,
  prepare: (failed: string) => void,
): void {
  const parent = writer.fresh("hook-parent");
  const stopped = writer.fresh("hook-stopped");
  const wait = writer.fresh("hook-wait");
  const reap = writer.fresh("hook-reap");
  const done = writer.fresh("hook-done");
  const text = (value: string): Data => ({ kind: "text", text: value });
  writeInput(writer, hook, failed);
  writer.set(ERROR, imm(0));
  // struct clone_args (linux/sched.h): flags, pidfd, child_tid, parent_tid, exit_signal.
  const args: Data = { kind: "space", size: 88, name: `hook-clone.${number}` };
  writer.store(at(args), 0, 8, imm(CLONE.VM | CLONE.VFORK | CLONE.PIDFD));
  writer.store(at(args), 8, 8, { slotAddress: "hook-pidfd" });
  writer.store(at(args), 32, 8, imm(SIGNALS.SIGCHLD));
  // The kernel writes 32 bits of it.
  writer.set("hook-pidfd", imm(0));
  writer.syscall("clone3", at(args), imm(88));
  writer.if("acc", "lt", imm(0), failed);
  writer.if("acc", "ne", imm(0), parent);

  prepare(stopped);
  writer.syscall("dup3", slot("hook-input"), imm(0), imm(0));
  if (hook.output !== undefined)
    for (const descriptor of [1, 2]) writer.syscall("dup3", slot(hook.output), imm(descriptor), imm(0));
  writer.syscall("rt_sigprocmask", imm(SIG.SETMASK), at(NO_SIGNALS), imm(0), imm(8));
  writer.syscall("close_range", imm(3), imm(0xffffffff), imm(CLOSE_RANGE_CLOEXEC));
  writer.syscall("execve", at(text(hook.path)), at(stringArray(hook.argv)), at(stringArray(hook.env)));
  writer.label(stopped);
  writer.set(ERROR, "acc");
  writer.syscall("exit_group", imm(127));

  writer.label(parent);
  writer.set("hook-process", "acc");
  writer.syscall("close", slot("hook-input"));
  writer.label(wait);
  writer.store(at(POLL), 0, 4, slot("hook-pidfd"));
  writer.store(at(POLL), 4, 4, imm(POLLIN));
  const limit = hook.timeout === undefined ? imm(0) : at(timespec(hook.timeout));
  writer.syscall("ppoll", at(POLL), imm(1), limit, imm(0), imm(0));
  writer.if("acc", "eq", imm(-ERRNO.EINTR), wait);
  writer.if("acc", "ne", imm(0), reap);
  writer.syscall("kill", slot("hook-process"), imm(SIGNALS.SIGKILL));
  writer.set(ERROR, imm(-ERRNO.ETIMEDOUT));
  writer.label(reap);
  writer.syscall("close", slot("hook-pidfd"));
  writer.syscall("wait4", slot("hook-process"), at(STATUS), imm(0), imm(0));
  writer.recall(ERROR);
  writer.if(slot(ERROR), "ne", imm(0), failed);
  writer.load("hook-ending", at(STATUS), 0, 4);
  writer.if(slot("hook-ending"), "eq", imm(0), done);
  writer.set(ERROR, imm(-HOOK_STATUS));
  writer.subtract(ERROR, slot("hook-ending"));
  writer.recall(ERROR);
  writer.jump(failed);
  writer.label(done);
}

/** The state of the container, for the hook to read from its beginning. */
function writeInput(writer: Writer, { input }: Hook, failed: string): void {
  const name: Data = { kind: "text", text: "state" };
  writer.syscall("memfd_create", at(name), imm(MFD_CLOEXEC));
  writer.if("acc", "lt", imm(0), failed);
  writer.set("hook-input", "acc");
  const write = (value: string) => {
    const bytes = new TextEncoder().encode(value);
    writer.syscall("write", slot("hook-input"), at({ kind: "bytes", bytes }), imm(bytes.length));
    writer.if("acc", "lt", imm(0), failed);
  };
  write(input.before);
  lowerDecimal(writer, { kind: "decimal", slot: input.pid, into: DIGITS, prefix: "", suffix: "", why: "" });
  // Where the digits end is what the decimal was copied to, past its last digit.
  writer.set("hook-length", slot("decimal-to"));
  writer.subtract("hook-length", at(DIGITS));
  writer.syscall("write", slot("hook-input"), at(DIGITS), slot("hook-length"));
  write(input.after);
  writer.syscall("lseek", slot("hook-input"), imm(0), imm(0));
}
