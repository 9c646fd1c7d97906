import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { directoryIn, type Layout } from "../cgroup/layout.ts";
import type { CgroupPlan } from "../cgroup/plan.ts";
import type { Rights } from "../kernel/rights.ts";
import { wrong } from "../oci/runtime/read.ts";
import type { Resources } from "../oci/runtime/resources.ts";
import type { IdMapping, RuntimeSpec } from "../oci/runtime/spec.ts";
import { RuntimeError } from "./failure.ts";
import type { ContainerDocument } from "./store.ts";

/** What is otherwise for callers who are not the machine's root. */

/**
 * Refuse what the kernel gives to the machine's root only.
 * @throws Refusal that names the field
 */
export function refuseWithoutRights({ linux = {}, process }: RuntimeSpec, rights: Rights): void {
  if (rights !== "user") return;
  const { gidMappings = [], namespaces = [], uidMappings = [] } = linux;
  if (!namespaces.some(({ path, type }) => type === "user" && path === undefined))
    throw wrong(
      "linux.namespaces",
      "a user without privileges needs a user namespace for the container: add one of type user",
    );
  const { getegid, geteuid } = globalThis.process;
  onlySelf(uidMappings, geteuid?.() ?? 0, "linux.uidMappings");
  onlySelf(gidMappings, getegid?.() ?? 0, "linux.gidMappings");
  if ((process?.user.additionalGids ?? []).length > 0)
    throw wrong("process.user.additionalGids", "a user without privileges cannot set groups: leave it out");
}

function onlySelf(mappings: readonly IdMapping[], own: number, field: string): void {
  const [first, ...more] = mappings;
  if (first?.hostID === own && first.size === 1 && more.length === 0) return;
  throw wrong(
    field,
    `a user without privileges may map ${own} alone: map it, or call this runtime in a user namespace with more users (unshare --map-auto, podman unshare)`,
  );
}

/** The plan of a container that stays in its caller's cgroups. */
export const noCgroups = (cgroup: string): CgroupPlan => ({
  cgroup,
  directories: [],
  writes: [],
  attach: [],
});

/** Whether cgroups can be made below `cgroup`'s parent in every tree. */
export function mayMakeCgroups(layout: Layout, cgroup: string): boolean {
  return layout.hierarchies.every((tree) => {
    let directory = dirname(directoryIn(tree, cgroup));
    while (!existsSync(directory) && directory.length > tree.path.length) directory = dirname(directory);
    try {
      accessSync(directory, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Where there is no right to make cgroups, nothing may be asked of them; devices the kernel denies by itself. */
export function refuseCgroups(cgroupsPath: string | undefined, { devices: _, ...limits }: Resources): void {
  if (cgroupsPath)
    throw new RuntimeError(
      `unable to apply cgroup configuration: Cannot make cgroup ${cgroupsPath}: permission denied; leave linux.cgroupsPath out, or have the cgroup delegated`,
    );
  const [first] = Object.entries(limits).flatMap(([name, value]) =>
    typeof value === "object" && Object.keys(value).length === 0 ? [] : [name],
  );
  if (first !== undefined)
    throw new RuntimeError(
      `cannot set ${first} limit: container could not join or create cgroup: linux.resources.${first} needs a cgroup, and this user may not make one: leave it out, or have a cgroup delegated`,
    );
}

/** Refuse a command that works on the cgroup of a container that has none of its own. */
export function needsCgroup({ id, noCgroup }: ContainerDocument, doing: string): void {
  if (noCgroup === true)
    throw new RuntimeError(
      `Cannot ${doing} container ${id}: it has no cgroup of its own, because who made it had no right to make one`,
    );
}
