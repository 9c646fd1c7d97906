import { AT, flags, O } from "../../kernel/flags.ts";
import { call, close, from, mem, num, str } from "../../plan/build.ts";
import type { Arg, Call, Reason, Slot, Step } from "../../plan/step.ts";

/** The current directory, for calls that take a directory descriptor. */
export const HERE: Arg = num(AT.FDCWD, "AT_FDCWD");

/** `O_*` by name. */
export function openFlags(...names: readonly (keyof typeof O)[]): Arg {
  const { value, text } = flags("O", O, ...names);
  return num(value, text);
}

/** Open `path` (close-on-exec) into `slot`. */
export function open(
  path: string,
  slot: Slot,
  reason: Reason,
  names: readonly (keyof typeof O)[],
  extra: Pick<Partial<Call>, "tolerate" | "undo"> = {},
): Call {
  return call("openat", [HERE, str(path), openFlags(...names, "CLOEXEC"), num(0o600, "0600")], reason, {
    ...extra,
    result: slot,
  });
}

/** Open, write, close: the way of every file of cgroupfs and procfs. Absent files can be tolerated. */
export function writeFile(
  path: string,
  value: string,
  reason: Reason,
  tolerate: Call["tolerate"] = [],
): Step {
  const bytes = new TextEncoder().encode(value);
  const steps: Step[] = [
    open(path, "file", reason, ["WRONLY"]),
    call("write", [from("file"), mem({ kind: "text", text: value }), num(bytes.length)], reason, {
      tolerate,
    }),
    close("file", "close it"),
  ];
  return { kind: "attempt", tolerate, steps, ...reason };
}

/** Make a directory that may be there already. */
export function makeDirectory(path: string, mode: number, reason: Reason): Call {
  return call("mkdirat", [HERE, str(path), num(mode, mode.toString(8).padStart(4, "0"))], reason, {
    tolerate: ["EEXIST"],
  });
}

/** Where every container has a mount of its own before anything is made below. */
const MOUNTED = /^\/(dev|proc|sys)\/./;

/** Make a directory and all above it. */
export function makeDirectories(path: string, reason: Reason): Step[] {
  const parts = path.split("/").filter((part) => part !== "");
  const first = MOUNTED.test(path) ? 1 : 0;
  return parts
    .map((_, index) => `/${parts.slice(0, index + 1).join("/")}`)
    .slice(first)
    .map((each) => makeDirectory(each, 0o755, reason));
}
