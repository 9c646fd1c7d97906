import { basename } from "node:path";
import type { Hierarchy } from "../../cgroup/layout.ts";
import { AT, MOUNT_ATTR, MS } from "../../kernel/flags.ts";
import { call, close, from, mem, num, str, struct, u64 } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";
import { linksTo, mountCgroups } from "./cgroup-mount.ts";
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
    // What is held is the fresh tmpfs itself, wherever it has been attached: nobody has put a link into it.
    ...attachInside(planned.tree, destination, "directory", reason, true),
    ...trees.flatMap((tree, index) => {
      const name = basename(tree.path);
      const into = [from(planned.tree), str(name)];
      return [
        limited(index),
        call("mkdirat", [...into, num(0o755, "0755")], reason),
        call(
          "move_mount",
          [from(`cgroup-tree.${index}`), str(""), ...into, num(4, "MOVE_MOUNT_F_EMPTY_PATH")],
          reason,
        ),
        close(`cgroup-tree.${index}`, "close it"),
        ...linksTo(tree, name).map((link) =>
          call("symlinkat", [str(name), from(planned.tree), str(link)], reason),
        ),
      ];
    }),
    close(planned.tree, "close it"),
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
