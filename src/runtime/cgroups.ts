import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { check } from "../cgroup/check.ts";
import { isFrozen } from "../cgroup/freeze.ts";
import { cgroupForMore } from "../cgroup/inner.ts";
import { killAll } from "../cgroup/kill.ts";
import { directoryIn, type Hierarchy, type Layout, readLayout } from "../cgroup/layout.ts";
import { limits, usedTrees } from "../cgroup/limits.ts";
import { prepareParent } from "../cgroup/parent.ts";
import type { CgroupPlan } from "../cgroup/plan.ts";
import { processes } from "../cgroup/processes.ts";
import { remove as removeCgroup } from "../cgroup/remove.ts";
import { ownRights } from "../kernel/rights.ts";
import type { Resources } from "../oci/runtime/resources.ts";
import type { RuntimeSpec } from "../oci/runtime/spec.ts";
import type { Context } from "./context.ts";
import { RuntimeError } from "./failure.ts";
import { mayMakeCgroups, noCgroups, refuseCgroups } from "./rootless.ts";
import type { ScopePlace } from "./systemd/unit.ts";

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

/** Where a container's cgroup is to be; with the unit that systemd is to make for it. */
export interface CgroupPlace {
  readonly cgroup: string;
  readonly scope?: ScopePlace;
}

/**
 * The place that `path` names, in the words of the driver that the caller has chosen.
 * @throws RuntimeError for a path that is none, and where there is no such driver
 */
export async function placeOf(
  { systemd }: Pick<Context, "systemd">,
  path: string | undefined,
  id: string,
): Promise<CgroupPlace> {
  if (!systemd) return { cgroup: cgroupOf(path, id) };
  const [{ placeOfScope }, { refuseWithoutSystemd }] = await Promise.all([
    import("./systemd/unit.ts"),
    import("./systemd/start.ts"),
  ]);
  refuseWithoutSystemd();
  const scope = placeOfScope(path, id);
  return { cgroup: scope.cgroup, scope };
}

export interface PreparedCgroups {
  readonly layout: Layout;
  readonly plan: CgroupPlan;
  readonly warnings: readonly string[];
  /** The container stays in its caller's cgroups, which may make none. */
  readonly none?: true;
  /** systemd's unit, and the process that holds it until the container is in it. */
  readonly unit?: string;
  readonly holder?: number;
}

/**
 * Prepare the cgroup above and plan the container's own. A scope is made by systemd, which is told the limits before
 * they are written.
 * @throws RuntimeError where limits cannot be, or the cgroup is in use
 */
export async function prepareCgroups(
  { cgroup, scope }: CgroupPlace,
  spec: RuntimeSpec,
  id: string,
): Promise<PreparedCgroups> {
  const resources = spec.linux?.resources ?? {};
  if (scope === undefined) {
    const layout = readLayout();
    if (ownRights() === "machine" || mayMakeCgroups(layout, cgroup)) return planCgroups(cgroup, resources);
    refuseCgroups(spec.linux?.cgroupsPath, resources);
    return { layout, plan: noCgroups(cgroup), warnings: [], none: true };
  }
  const { closeScope, limitScope, openScope } = await import("./systemd/start.ts");
  const { holder, unit } = await openScope(scope, spec, id);
  try {
    const planned = planCgroups(cgroup, resources, holder);
    await limitScope(unit, planned.plan);
    return { ...planned, unit, holder };
  } catch (error) {
    await closeScope(readLayout(), scope);
    throw error;
  }
}

function planCgroups(cgroup: string, resources: Resources, holder?: number): PreparedCgroups {
  const layout = readLayout();
  const parent = prepareParent(layout, cgroup.slice(0, cgroup.lastIndexOf("/")) || "/");
  const { errors, resources: usable, warnings } = check(parent, resources, "strict");
  if (errors.length > 0) throw new RuntimeError(`Cannot limit the container: ${errors.join("; ")}`);
  // Whoever is in it would be killed when the container is deleted.
  const inside = processes(layout, cgroup).filter((pid) => pid !== holder).length;
  if (inside > 0)
    throw new RuntimeError(`container's cgroup is not empty: ${inside} process(es) found in ${cgroup}`);
  if (isFrozenThere(layout, cgroup))
    throw new RuntimeError(`container's cgroup unexpectedly frozen: thaw ${cgroup} first, or name another`);
  const { oom: _, ...plan } = limits(parent, cgroup, usable);
  return { layout, plan, warnings };
}

/** One that somebody has frozen would let no process of the container take a step. */
function isFrozenThere(layout: Layout, cgroup: string): boolean {
  try {
    return isFrozen(layout, cgroup);
  } catch {
    // There is no such cgroup yet.
    return false;
  }
}

/**
 * End what is in a container's cgroups, and remove them.
 * @returns one sentence about a unit that stays
 */
export async function clearCgroups(
  layout: Layout,
  { cgroup, unit }: { readonly cgroup: string; readonly unit?: string | undefined },
): Promise<string | undefined> {
  let left: string | undefined;
  if (unit === undefined) await killAll(layout, cgroup);
  else left = await (await import("./systemd/start.ts")).closeScope(layout, { cgroup, unit });
  await removeCgroup(layout, cgroup);
  return left;
}

/** What a process that joins a container needs of its cgroups; `pid` is the container's first process. */
export function joinCgroups(cgroup: string, pid: number, wanted: readonly string[]): CgroupPlan {
  const layout = readLayout();
  const below = subgroups(layout, cgroup, wanted);
  const trees = usedTrees(layout);
  const placeIn = (tree: Hierarchy) => directoryIn(tree, below.get(tree) ?? cgroup);
  const { unified } = layout;
  return {
    cgroup,
    directories: [],
    writes: [],
    attach: trees
      .filter(({ version }) => version === 1)
      .map((tree) => ({ file: `${placeIn(tree)}/tasks`, text: "0" as const })),
    ...(unified === undefined
      ? {}
      : { unified: below.has(unified) ? placeIn(unified) : cgroupForMore(placeIn(unified), cgroup, pid) }),
  };
}

/**
 * `--cgroup PATH` and, on version 1, `--cgroup CONTROLLER,…:PATH`: cgroups that the container has made below its own.
 * @throws RuntimeError in the words that callers of runc know
 */
function subgroups(layout: Layout, cgroup: string, wanted: readonly string[]): Map<Hierarchy, string> {
  const found = new Map<Hierarchy, string>();
  for (const word of wanted) {
    const [, names, path = ""] = /^(?:([^:]*):)?(.*)$/s.exec(word) ?? [];
    const place = posix.join(cgroup, path).replace(/\/$/, "");
    if (place !== cgroup && !place.startsWith(`${cgroup}/`))
      throw new RuntimeError(`bad sub cgroup path: ${path} is not a sub cgroup path`);
    const trees =
      names === undefined
        ? usedTrees(layout)
        : names.split(",").map((name) => {
            const tree = layout.controllers.get(name);
            if (tree === undefined || tree.version === 2)
              throw new RuntimeError(`unknown controller ${name} in --cgroup ${word}`);
            return tree;
          });
    for (const tree of trees) {
      const file = join(directoryIn(tree, place), "cgroup.procs");
      if (!existsSync(file))
        throw new RuntimeError(`error adding pid of the process to ${file}: no such file or directory`);
      found.set(tree, place);
    }
  }
  return found;
}
