import { basename } from "node:path";
import type { Hierarchy } from "../../cgroup/layout.ts";
import { MS } from "../../kernel/flags.ts";
import { call, num, str } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";
import { HERE, makeDirectory } from "./files.ts";
import { mountCall, mountFileSystem, type PlannedMount } from "./mounts.ts";

/**
 * `/sys/fs/cgroup` in a container: the one tree of v2, or a tmpfs with each v1 hierarchy in it (cgroups(7)).
 * In an own cgroup namespace a fresh mount shows the container's cgroup as the root.
 */
export function mountCgroups(planned: PlannedMount, trees: readonly Hierarchy[]): Step[] {
  const { mount, options, reason } = planned;
  if (trees.every((tree) => tree.version === 2)) {
    return mountFileSystem({ ...planned, mount: { ...mount, type: "cgroup2", source: "cgroup" } });
  }
  const readonly = options.flags & MS.RDONLY;
  const writable = { ...planned, mount: { ...mount, type: "tmpfs", source: "tmpfs" } };
  const flagsWithout = options.flags & ~MS.RDONLY;
  return [
    ...mountFileSystem({ ...writable, options: { ...options, flags: flagsWithout, data: "mode=755" } }),
    ...trees.flatMap((tree) => {
      const name = basename(tree.path);
      const at = `${mount.destination}/${name}`;
      const type = tree.version === 1 ? "cgroup" : "cgroup2";
      return [
        makeDirectory(at, 0o755, reason),
        mountCall(
          "cgroup",
          at,
          type,
          options.flags,
          options.flagNames,
          tree.version === 1 ? v1Options(tree) : "",
          reason,
        ),
        ...linksTo(tree, name).map((link) =>
          call("symlinkat", [str(name), HERE, str(`${mount.destination}/${link}`)], reason, {
            tolerate: ["EEXIST"],
          }),
        ),
      ];
    }),
    ...(readonly === 0
      ? []
      : [
          call(
            "mount",
            [
              str("none"),
              str(mount.destination),
              num(0),
              num(
                options.flags | MS.REMOUNT | MS.BIND,
                [...options.flagNames, "MS_REMOUNT", "MS_BIND"].join("|"),
              ),
              num(0),
            ],
            reason,
          ),
        ]),
  ];
}

/** What a mount of that hierarchy is called by: its controllers, or its name. */
function v1Options(tree: Hierarchy): string {
  return tree.name === undefined ? tree.controllers.join(",") : `none,name=${tree.name}`;
}

/** `cpu` and `cpuacct` beside `cpu,cpuacct`, as hosts have them. */
export function linksTo(tree: Hierarchy, name: string): readonly string[] {
  return tree.version === 1 && tree.controllers.length > 1
    ? tree.controllers.filter((each) => each !== name)
    : [];
}
