import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "./error.ts";
import { directoryIn, type Hierarchy, type Layout } from "./layout.ts";
import type { Parent } from "./parent.ts";

/** The tree that tells a container's processes best: v2 if there is one, else a v1 one with a controller. */
export function processTree(layout: Layout): Hierarchy | undefined {
  const { controllers } = layout;
  return layout.unified ?? controllers.get("pids") ?? controllers.get("freezer") ?? layout.hierarchies.at(0);
}

/** The pids (of the host) in `cgroup` and below it; empty when it is gone. */
export function processes(layout: Layout, cgroup: string): number[] {
  const tree = processTree(layout);
  return tree === undefined ? [] : below(directoryIn(tree, cgroup)).flatMap(pidsOf);
}

/** `directory` and every cgroup under it, deepest last; empty when it is gone. */
export function below(directory: string): string[] {
  try {
    const children = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [directory, ...children.flatMap((child) => below(join(directory, child.name)))];
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

function pidsOf(directory: string): number[] {
  try {
    const text = readFileSync(join(directory, "cgroup.procs"), "utf8");
    return text.split("\n").filter(Boolean).map(Number);
  } catch (error) {
    // ENODEV: removed since it was listed. EOPNOTSUPP: a threaded cgroup, its processes are listed above it.
    if (["ENOENT", "ENODEV", "EOPNOTSUPP"].includes(errnoOf(error) ?? "")) return [];
    throw error;
  }
}

/** The names of the cgroups directly below `parent`, of all trees: what an earlier engine has left. */
export function children(parent: Parent): string[] {
  const names = parent.layout.hierarchies.flatMap((tree) => {
    const directory = directoryIn(tree, parent.cgroup);
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  });
  return [...new Set(names)].sort();
}
