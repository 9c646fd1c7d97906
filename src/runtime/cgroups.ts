import { check } from "../cgroup/check.ts";
import { type Layout, readLayout } from "../cgroup/layout.ts";
import { limits } from "../cgroup/limits.ts";
import { type Parent, prepareParent } from "../cgroup/parent.ts";
import type { CgroupPlan } from "../cgroup/plan.ts";
import { processes } from "../cgroup/processes.ts";
import type { Resources } from "../oci/runtime/resources.ts";
import { RuntimeError } from "./failure.ts";

/** Where cgroups are whose configuration says nothing, or gives a relative path. */
const OWN_PARENT = "/cais-runtime";

/**
 * `linux.cgroupsPath` (config-linux.md, "Cgroups Path") as a path in each tree: an absolute one is below the tree's
 * mount, a relative one below a place of the runtime's own.
 */
export function cgroupOf(path: string | undefined, id: string): string {
  const wanted = path === undefined || path === "" ? `${OWN_PARENT}/${id}` : path;
  const absolute = wanted.startsWith("/") ? wanted : `${OWN_PARENT}/${wanted}`;
  const parts = absolute.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length === 0 || parts.includes(".."))
    throw new RuntimeError(
      `Cannot use cgroup ${wanted}: a container needs a cgroup of its own, named by a path without ".."`,
    );
  return `/${parts.join("/")}`;
}

export interface PlannedCgroups {
  readonly layout: Layout;
  readonly plan: CgroupPlan;
  readonly warnings: readonly string[];
}

/**
 * Prepare the cgroup above and plan the container's own.
 * @throws RuntimeError where limits cannot be, or the cgroup is in use
 */
export function planCgroups(cgroup: string, resources: Resources): PlannedCgroups {
  const layout = readLayout();
  const parent = prepareParent(layout, cgroup.slice(0, cgroup.lastIndexOf("/")) || "/");
  const { errors, resources: usable, warnings } = check(parent, resources, "strict");
  if (errors.length > 0) throw new RuntimeError(`Cannot limit the container: ${errors.join("; ")}`);
  // Whoever is in it would be killed when the container is deleted.
  const inside = processes(layout, cgroup).length;
  if (inside > 0)
    throw new RuntimeError(`container's cgroup is not empty: ${inside} process(es) found in ${cgroup}`);
  const { oom: _, ...plan } = limits(parent, cgroup, usable);
  return { layout, plan, warnings };
}

/** What a process that joins a container needs of its cgroups. */
export function joinCgroups(cgroup: string): CgroupPlan {
  const layout = readLayout();
  const parent: Parent = { layout, cgroup: "/", files: new Map() };
  const { attach, unified } = limits(parent, cgroup, {});
  return {
    cgroup,
    directories: [],
    writes: [],
    attach,
    ...(unified === undefined ? {} : { unified }),
  };
}
