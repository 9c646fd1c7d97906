import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { killAll } from "../../src/cgroup/kill.ts";
import { readLayout } from "../../src/cgroup/layout.ts";
import { limits } from "../../src/cgroup/limits.ts";
import { prepareParent } from "../../src/cgroup/parent.ts";
import type { CgroupPlan } from "../../src/cgroup/plan.ts";
import { remove } from "../../src/cgroup/remove.ts";
import { applyWrites } from "../../src/cgroup/write.ts";
import type { Resources } from "../../src/oci/runtime/resources.ts";

let count = 0;

/** A parent of its own with one container's cgroup in it, made as a launch plan would; removed when disposed. */
export function scene(resources: Resources = {}) {
  const layout = readLayout();
  const parent = prepareParent(layout, `/cais-test-${process.pid}-${++count}`);
  const cgroup = `${parent.cgroup}/one`;
  const plan = limits(parent, cgroup, resources);
  for (const directory of plan.directories) mkdirSync(directory);
  applyWrites(plan.writes);
  return {
    layout,
    parent,
    cgroup,
    plan,
    /** The directory of `controller`. */
    at: (controller: string) => `${layout.controllers.get(controller)?.path}${cgroup}`,
    async [Symbol.asyncDispose]() {
      await killAll(layout, cgroup);
      await remove(layout, parent.cgroup);
    },
  };
}

/**
 * A shell in the cgroup of `plan` that runs `script`; it attaches itself as a launched child does. Resolves once
 * it is inside.
 */
export async function inside(plan: CgroupPlan, script: string) {
  const files = plan.attach.map(({ file }) => file);
  if (plan.unified !== undefined) files.push(`${plan.unified}/cgroup.procs`);
  const enter = files.map((file) => `echo 0 > ${file}`).join("\n");
  const child = spawn("/bin/sh", ["-c", `set -e\n${enter}\necho in\n${script}`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const first = await Promise.race([once(child.stdout, "data"), exited]);
  if (String(first[0]).trim() !== "in")
    throw new Error(`The shell could not enter ${dirname(basename(plan.cgroup))}`);
  return { pid: child.pid ?? 0, exited, stdin: child.stdin };
}
