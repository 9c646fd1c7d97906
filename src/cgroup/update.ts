import { readFileSync } from "node:fs";
import type { Resources } from "../oci/runtime/resources.ts";
import { cgroupError } from "./error.ts";
import { controllerDirectory } from "./layout.ts";
import { limits } from "./limits.ts";
import type { Parent } from "./parent.ts";
import { applyWrites } from "./write.ts";

/**
 * Change the limits of a running container: only what `resources` names. Either all of it is changed or,
 * with a `CgroupError` that names the field and the file, nothing. Device rules are not changed.
 */
export function update(parent: Parent, cgroup: string, resources: Resources): void {
  if (resources.memory?.checkBeforeUpdate) refuseIfUsed(parent, cgroup, resources.memory.limit);
  const { devices: _, ...rest } = resources;
  applyWrites(limits(parent, cgroup, rest).writes);
}

/** `checkBeforeUpdate`: v2 would kill processes to get below the new limit. */
function refuseIfUsed({ layout }: Parent, cgroup: string, limit: number | undefined): void {
  const directory = controllerDirectory(layout, "memory", cgroup);
  if (limit === undefined || limit <= 0 || directory === undefined) return;
  const v2 = layout.controllers.get("memory")?.version === 2;
  const file = `${directory}/${v2 ? "memory.current" : "memory.usage_in_bytes"}`;
  const usage = Number(readFileSync(file, "utf8"));
  if (usage > limit)
    throw cgroupError(
      "set memory.limit",
      file,
      `the container uses ${usage} bytes, the new limit is ${limit}`,
    );
}
