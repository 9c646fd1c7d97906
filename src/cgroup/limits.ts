import type { Resources } from "../oci/runtime/resources.ts";
import { effectiveRules } from "./device-rules.ts";
import { directoryIn, type Hierarchy, type Layout } from "./layout.ts";
import type { Names, Parent } from "./parent.ts";
import type { CgroupPlan, Write } from "./plan.ts";
import { V1 } from "./v1.ts";
import { unifiedWrites, V2 } from "./v2.ts";

/**
 * The runtime specification's `linux.resources` as directories, file writes and attachments for a new cgroup
 * `cgroup` ("/cais/<id>", directly below `parent`). Pure: call `check` first, it says what this kernel lacks.
 */
export function limits(parent: Parent, cgroup: string, resources: Resources): CgroupPlan {
  const { layout } = parent;
  const trees = usedTrees(layout);
  const directories = directoriesOf(layout, cgroup);
  const writes: Write[] = trees.flatMap((tree) =>
    writesOf(tree, directoryIn(tree, cgroup), resources, parent.files.get(tree.path) ?? NONE),
  );
  const { unified } = layout;
  const unifiedDirectory = unified === undefined ? undefined : directoryIn(unified, cgroup);
  const memory = layout.controllers.get("memory");
  return {
    cgroup,
    directories,
    writes:
      layout.mode === "v2" && unifiedDirectory !== undefined
        ? [...writes, ...unifiedWrites(unifiedDirectory, resources)]
        : writes,
    attach: trees
      .filter((tree) => tree.version === 1)
      .map((tree) => ({ file: `${directoryIn(tree, cgroup)}/tasks`, text: "0" as const })),
    ...(unifiedDirectory === undefined ? {} : { unified: unifiedDirectory }),
    ...(layout.controllers.has("devices") || resources.devices === undefined || unified === undefined
      ? {}
      : { devices: effectiveRules(resources.devices) }),
    ...(memory === undefined
      ? {}
      : {
          oom: `${directoryIn(memory, cgroup)}/${memory.version === 2 ? "memory.events" : "memory.oom_control"}`,
        }),
  };
}

const NONE: Names = { has: () => false };

/** The directories of a cgroup, in the order in which they are made. */
export const directoriesOf = (layout: Layout, cgroup: string): readonly string[] =>
  usedTrees(layout).map((tree) => directoryIn(tree, cgroup));

/**
 * The trees that a container has a cgroup in. A named one (`name=systemd`) has no controllers and limits nothing;
 * v1's freezer is not needed beside v2, which freezes in every tree of its own.
 */
export function usedTrees({ hierarchies, unified }: Layout): readonly Hierarchy[] {
  const spare = (controller: string) => controller === "freezer" && unified !== undefined;
  return hierarchies.filter(({ controllers, version }) => version === 2 || !controllers.every(spare));
}

/** The writes for every controller that `tree` has, cpuset first. */
function writesOf(tree: Hierarchy, directory: string, resources: Resources, files: Names): Write[] {
  const table = tree.version === 1 ? V1 : V2;
  return Object.entries(table).flatMap(([controller, writer]) =>
    tree.controllers.includes(controller) ? writer(directory, resources, files) : [],
  );
}
