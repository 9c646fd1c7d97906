import { readFileSync } from "node:fs";
import type { Resources } from "../oci/runtime/resources.ts";
import { cgroupError } from "./error.ts";
import { controllerDirectory } from "./layout.ts";
import { limits } from "./limits.ts";
import type { Parent } from "./parent.ts";
import type { Write } from "./plan.ts";
import { readKernel } from "./read.ts";
import { applyWrites } from "./write.ts";

/**
 * Change the limits of a running container: only what `resources` names. Either all of it is changed or,
 * with a `CgroupError` that names the field and the file, nothing. Device rules are not changed.
 */
export function update(parent: Parent, cgroup: string, resources: Resources): void {
  if (resources.memory?.checkBeforeUpdate) refuseIfUsed(parent, cgroup, resources.memory.limit);
  applyWrites(updateWrites(parent, cgroup, resources));
}

/** The writes of an update, what the kernel keeps in one file with what is changed included. */
export function updateWrites(parent: Parent, cgroup: string, resources: Resources): readonly Write[] {
  const { devices: _, ...rest } = resources;
  return limits(parent, cgroup, { ...rest, ...withPair(parent, cgroup, rest) }).writes;
}

/** v2 has quota and period in one file, and takes what is not named for the default: name what is there. */
function withPair({ layout }: Parent, cgroup: string, { cpu }: Resources): Pick<Resources, "cpu"> {
  const directory = controllerDirectory(layout, "cpu", cgroup);
  if (!cpu || directory === undefined || layout.controllers.get("cpu")?.version !== 2) return {};
  if (Boolean(cpu.quota) === Boolean(cpu.period)) return {};
  const [quota = "max", period = ""] = readKernel(`${directory}/cpu.max`).trim().split(" ");
  const now = { quota: quota === "max" ? -1 : Number(quota), period: Number(period) || 100_000 };
  return { cpu: { ...cpu, quota: cpu.quota || now.quota, period: cpu.period || now.period } };
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
