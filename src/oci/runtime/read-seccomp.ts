import { exact64, list, name, object, oneOf, type Reader, text, whole, wrong } from "./read.ts";
import type { Seccomp, SeccompArg, SeccompRule } from "./seccomp.ts";

/** `linux.seccomp` of a runtime configuration (config-linux.md, "Seccomp"). */

export const SECCOMP_ACTIONS = [
  "SCMP_ACT_KILL",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_TRACE",
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_LOG",
  "SCMP_ACT_NOTIFY",
] as const;

const action = oneOf(...SECCOMP_ACTIONS);

export const SECCOMP_OPERATORS = [
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_EQ",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ",
] as const;

const errno = whole(0, 0xffff, "an error number");

const arg = object<SeccompArg>(
  {
    index: whole(0, 5, "the number of an argument"),
    value: exact64,
    valueTwo: exact64,
    op: oneOf(...SECCOMP_OPERATORS),
  },
  "index",
  "value",
  "op",
);

const names: Reader<readonly string[]> = (value, at, warnings) => {
  const read = list(name)(value, at, warnings);
  if (read.length === 0) throw wrong(at, "it must name at least one system call");
  return read;
};

const rule = object<SeccompRule>({ names, action, errnoRet: errno, args: list(arg) }, "names", "action");

export const SECCOMP_FLAGS = [
  "SECCOMP_FILTER_FLAG_TSYNC",
  "SECCOMP_FILTER_FLAG_LOG",
  "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
  "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
] as const;

const policy = object<Seccomp>(
  {
    defaultAction: action,
    defaultErrnoRet: errno,
    architectures: list(name),
    flags: list(oneOf(...SECCOMP_FLAGS)),
    listenerPath: text,
    listenerMetadata: text,
    syscalls: list(rule),
  },
  "defaultAction",
);

/** Whether a policy hands system calls to a listener. */
export const notifies = ({ defaultAction, syscalls = [] }: Seccomp): boolean =>
  [defaultAction, ...syscalls.map((each) => each.action)].includes("SCMP_ACT_NOTIFY");

/** The policy, with what its listener needs. */
export const readSeccomp: Reader<Seccomp> = (value, at, warnings) => {
  const read = policy(value, at, warnings);
  const { defaultAction, listenerMetadata, listenerPath = "", syscalls = [] } = read;
  if (listenerPath !== "" && !listenerPath.startsWith("/"))
    throw wrong(`${at}.listenerPath`, `it must be an absolute path, not ${listenerPath}`);
  if (listenerMetadata && listenerPath === "")
    throw wrong(`${at}.listenerMetadata`, "it is for a listener: give listenerPath as well, or leave it out");
  if (!notifies(read)) return read;
  if (listenerPath === "")
    throw wrong(`${at}.listenerPath`, "SCMP_ACT_NOTIFY needs a listener: give the path of its socket");
  if (defaultAction === "SCMP_ACT_NOTIFY")
    throw wrong(
      `${at}.defaultAction`,
      "SCMP_ACT_NOTIFY cannot be the default: name the system calls in rules",
    );
  // The filter is in force when its descriptor is on the way to the listener.
  const early = syscalls.findIndex(
    (each) => each.action === "SCMP_ACT_NOTIFY" && each.names.includes("sendmsg"),
  );
  if (early >= 0)
    throw wrong(
      `${at}.syscalls[${early}].names`,
      "sendmsg cannot be handed to a listener: it is the call that brings the listener its descriptor",
    );
  return read;
};
