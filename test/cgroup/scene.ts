import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { killAll } from "../../src/cgroup/kill.ts";
import { type Layout, readLayout } from "../../src/cgroup/layout.ts";
import { limits } from "../../src/cgroup/limits.ts";
import { prepareParent } from "../../src/cgroup/parent.ts";
import type { CgroupPlan } from "../../src/cgroup/plan.ts";
import { remove } from "../../src/cgroup/remove.ts";
import { applyWrites } from "../../src/cgroup/write.ts";
import type { Resources } from "../../src/oci/runtime/resources.ts";

/** This machine's layout, and where that is a hybrid also its v1 part alone: then nothing of v2 may be used. */
export function layouts(): (readonly [name: string, layout: Layout])[] {
  const layout = readLayout();
  if (layout.mode !== "hybrid") return [[layout.mode, layout]];
  const hierarchies = layout.hierarchies.filter(({ version }) => version === 1);
  const controllers = new Map([...layout.controllers].filter(([, tree]) => tree.version === 1));
  return [
    ["hybrid", layout],
    ["v1", { mode: "v1", hierarchies, controllers }],
  ];
}

let count = 0;

/** A parent of its own with one container's cgroup in it, made as a launch plan would; removed when disposed. */
export function scene(resources: Resources = {}, layout: Layout = readLayout()) {
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
 * it is inside and `before` is done.
 */
export async function inside(plan: CgroupPlan, script: string, before = "") {
  const files = plan.attach.map(({ file }) => file);
  if (plan.unified !== undefined) files.push(`${plan.unified}/cgroup.procs`);
  const enter = files.map((file) => `echo 0 > ${file}`).join("\n");
  const child = spawn("/bin/sh", ["-c", `set -e\n${enter}\n${before}\necho in\n${script}`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const first = await Promise.race([once(child.stdout, "data"), exited]);
  if (String(first[0]).trim() !== "in")
    throw new Error(`The shell could not enter ${dirname(basename(plan.cgroup))}`);
  return { pid: child.pid ?? 0, exited, stdin: child.stdin };
}
