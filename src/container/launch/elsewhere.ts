import { AT, CLONE, OPEN_TREE } from "../../kernel/flags.ts";
import { call, close, from, num, str } from "../../plan/build.ts";
import type { Slot, Step } from "../../plan/step.ts";
import { HERE, open } from "./files.ts";
import type { Namespaces } from "./namespaces.ts";
import type { Because } from "./reasons.ts";

/**
 * A container in a mount namespace of others: the machine's where its configuration names none, or one that it joins.
 * Its file systems are made in a copy of that which exists as long as this takes; then the process goes back with a
 * tree that is attached nowhere as its root. So nothing is ever mounted in the namespace of others, and nothing has to
 * be taken back, whoever is killed: the tree ends with its last process. In a tree of no namespace the kernel honours
 * no set-user-ID bit and no file capability (mnt_may_suid in fs/namespace.c).
 */

const OTHERS: Slot = "others-mounts";
const TREE: Slot = "bare-tree";

const others = (because: Because, why: string) => because("linux.namespaces.mount", why);

/** In the child, while the paths of the host are there: go on in a copy, remember the way back. */
export function enterCopy({ joined, mounts }: Namespaces, because: Because): Step[] {
  if (mounts === "own") return [];
  const path = joined.find(({ type }) => type === "mount")?.path;
  const join = others(because, "join the mount namespace");
  const copy = others(because, "make its file systems where nobody sees them");
  return [
    open(path ?? "/proc/self/ns/mnt", OTHERS, path === undefined ? copy : join, ["RDONLY"]),
    ...(path === undefined ? [] : [call("setns", [from(OTHERS), num(CLONE.NEWNS, "CLONE_NEWNS")], join)]),
    call("unshare", [num(CLONE.NEWNS, "CLONE_NEWNS")], copy),
  ];
}

/** With everything mounted: be back, with the finished tree as the root of this process. */
export function leaveCopy({ mounts }: Namespaces, because: Because): Step[] {
  if (mounts === "own") return [];
  const back = others(because, "be in the mount namespace of others, with a root of its own");
  const how = OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.RECURSIVE;
  return [
    call("open_tree", [HERE, str("/"), num(how, "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE")], back, {
      result: TREE,
    }),
    call("setns", [from(OTHERS), num(CLONE.NEWNS, "CLONE_NEWNS")], back),
    close(OTHERS, "close it"),
    ...standOn(TREE, back.why),
  ];
}

/** Make an open directory the root of this process. */
function standOn(slot: Slot, why: string): Step[] {
  return [call("fchdir", [from(slot)], why), call("chroot", [str(".")], why), close(slot, "close it")];
}

/** For an exec, before it enters the container: its namespace has another root than its processes. */
export function openRootOf(pid: number): Step[] {
  return [open(`/proc/${pid}/root`, TREE, { why: "find the container's root" }, ["PATH"])];
}

/** … and in there. */
export const takeRootOf = (): Step[] => standOn(TREE, "have the container's root");
