import { basename } from "node:path";
import type { Hierarchy } from "../../cgroup/layout.ts";
import { AT, MOUNT_ATTR, MS } from "../../kernel/flags.ts";
import { call, from, mem, num, str, struct, u64 } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";
import { linksTo, mountCgroups } from "./cgroup-mount.ts";
import { HERE } from "./files.ts";
import { makeFileSystem, mountCall, type PlannedMount } from "./mounts.ts";
import { attachInside, makeInside } from "./place.ts";

/**
 * `/sys/fs/cgroup` of a bundle. Without a cgroup namespace of its own a fresh mount would show the machine's tree: it
 * is shown its own directories instead, as by runc.
 */
export function cgroupTrees(planned: PlannedMount, trees: readonly Hierarchy[], ownCgroups: boolean): Step[] {
  const { mount, options, reason } = planned;
  const { destination } = mount;
  if (ownCgroups) return [...makeInside(destination, "directory", reason), ...mountCgroups(planned, trees)];
  const attributes = struct([u64(options.set, 0, 0, 0)]);
  const limited = (index: number) =>
    call(
      "mount_setattr",
      [from(`cgroup-tree.${index}`), str(""), num(AT.EMPTY_PATH, "AT_EMPTY_PATH"), mem(attributes), num(32)],
      reason,
    );
  const only = trees.length === 1 && trees[0]?.version === 2;
  if (only) return [limited(0), ...attachInside("cgroup-tree.0", destination, "directory", reason)];
  const flags = options.flags & ~MS.RDONLY;
  return [
    ...makeFileSystem({
      ...planned,
      mount: { ...mount, type: "tmpfs", source: "tmpfs" },
      options: { ...options, flags, set: options.set & ~MOUNT_ATTR.RDONLY, data: "mode=755" },
    }),
    ...attachInside(planned.tree, destination, "directory", reason),
    ...trees.flatMap((tree, index) => [
      limited(index),
      ...attachInside(`cgroup-tree.${index}`, `${destination}/${basename(tree.path)}`, "directory", reason),
      ...linksTo(tree, basename(tree.path)).map((link) =>
        call("symlinkat", [str(basename(tree.path)), HERE, str(`${destination}/${link}`)], reason, {
          tolerate: ["EEXIST"],
        }),
      ),
    ]),
    ...((options.flags & MS.RDONLY) === 0
      ? []
      : [
          mountCall(
            "none",
            destination,
            "none",
            options.flags | MS.REMOUNT | MS.BIND,
            [...options.flagNames, "MS_REMOUNT", "MS_BIND"],
            "",
            reason,
          ),
        ]),
  ];
}
