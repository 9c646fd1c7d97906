import { CLONE, O } from "../../kernel/flags.ts";
import { call, close, from, mem, num, str, struct, u64 } from "../../plan/build.ts";
import type { Reason, Slot, Step } from "../../plan/step.ts";
import { HERE, open } from "./files.ts";
import { copyOf } from "./place.ts";

/** `/proc/PID/root/…`: a path in the mount namespace of another container. */
const OF_ANOTHER = /^\/proc\/(\d+)\/root(\/.+)$/;

/** Whether a bind's source is in another container's mount namespace: `--ipc container:ID` has such a one. */
export const inAnother = (source: string): boolean => OF_ANOTHER.test(source);

/** openat2(2): no link of any kind on the way, so that a container cannot offer a file of the host as its own. */
const RESOLVE_NO_SYMLINKS = 0x04;

/**
 * Open a tree of another container into `tree`. A mount can only be copied from inside its own namespace
 * (`open_tree` in fs/namespace.c), so this child goes there for the two calls and comes back.
 */
export function openInAnother(source: string, tree: Slot, reason: Reason): Step[] {
  const [, pid = "", path = ""] = OF_ANOTHER.exec(source) ?? [];
  const because = { ...reason, hint: "the other container has ended, or has no directory of its own there" };
  const how = struct([u64(O.PATH | O.CLOEXEC, 0, RESOLVE_NO_SYMLINKS)]);
  const enter = (slot: Slot, why: Reason) =>
    call("setns", [from(slot), num(CLONE.NEWNS, "CLONE_NEWNS")], why);
  return [
    open("/proc/self/ns/mnt", "own-mounts", { why: "find the way back" }, ["RDONLY"]),
    open(`/proc/${pid}/ns/mnt`, "other-mounts", because, ["RDONLY"]),
    enter("other-mounts", because),
    close("other-mounts", "close it"),
    call("openat2", [HERE, str(path), mem(how, "O_PATH|O_CLOEXEC, RESOLVE_NO_SYMLINKS"), num(24)], because, {
      result: "other-directory",
    }),
    copyOf("other-directory", tree, because),
    close("other-directory", "close it"),
    enter("own-mounts", { why: "go back" }),
    close("own-mounts", "close it"),
  ];
}
