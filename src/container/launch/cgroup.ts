import { deviceProgramSteps } from "../../cgroup/devices-bpf.ts";
import type { CgroupPlan } from "../../cgroup/plan.ts";
import { CLONE } from "../../kernel/flags.ts";
import { call, num, str } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";
import { HERE, open, writeFile } from "./files.ts";
import type { Because } from "./reasons.ts";

const REAL_TIME = "linux.resources.cpu.realtimeRuntime";
/** sched-rt-group.rst: what a group has is taken from the group above it. */
const REAL_TIME_HINT =
  "the cgroup above has no real-time to give: write its cpu.rt_runtime_us first, or leave the option out";

/** Make the container's cgroups and write its limits, from outside, before there is a process in them. */
export function makeCgroups(plan: CgroupPlan, because: Because): Step[] {
  const steps: Step[] = plan.directories.map((directory) =>
    call("mkdirat", [HERE, str(directory), num(0o755, "0755")], "make a cgroup for the container", {
      tolerate: ["EEXIST"],
      undo: [
        call("unlinkat", [HERE, str(directory), num(0x200, "AT_REMOVEDIR")], "remove the cgroup", {
          tolerate: ["ENOENT"],
        }),
      ],
    }),
  );
  for (const write of plan.writes) {
    const reason = because(
      write.field,
      `limit the container (${write.file.slice(write.file.lastIndexOf("/") + 1)})`,
      write.field === REAL_TIME ? REAL_TIME_HINT : `${write.file} does not take ${write.value}`,
    );
    steps.push(writeFile(write.file, write.value, reason, write.tolerate));
  }
  if (plan.oom !== undefined) {
    steps.push(
      open(plan.oom, "oom", { why: "count out-of-memory kills" }, ["RDONLY"], { tolerate: ["ENOENT"] }),
    );
  }
  if (plan.unified !== undefined) {
    steps.push(open(plan.unified, "cgroup", { why: "let the container be born in its cgroup" }, ["RDONLY"]));
  }
  if (plan.devices !== undefined) steps.push(...deviceProgramSteps(plan.devices, "cgroup"));
  return steps;
}

/** In the child: enter the v1 cgroups (v2 it was born in), and see them as the root from now on. */
export function enterCgroups(plan: CgroupPlan, ownNamespace: boolean): Step[] {
  const steps: Step[] = plan.attach.map(({ file, text }) =>
    writeFile(file, text, { why: "enter the cgroup, as the only thread: this takes no global lock" }),
  );
  if (ownNamespace) {
    const why = "see the own cgroup as the root of all";
    steps.push(call("unshare", [num(CLONE.NEWCGROUP, "CLONE_NEWCGROUP")], why));
  }
  return steps;
}
