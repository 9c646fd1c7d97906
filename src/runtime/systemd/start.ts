import { existsSync } from "node:fs";
import { killAll } from "../../cgroup/kill.ts";
import { type Layout, readLayout } from "../../cgroup/layout.ts";
import type { CgroupPlan } from "../../cgroup/plan.ts";
import { spendProgram } from "../../container/launch/spend.ts";
import { startProgram } from "../../host/program.ts";
import { PR } from "../../kernel/flags.ts";
import type { RuntimeSpec } from "../../oci/runtime/spec.ts";
import { call, num } from "../../plan/build.ts";
import { compile } from "../../plan/compile.ts";
import type { Plan } from "../../plan/step.ts";
import { RuntimeError, wordsOf } from "../failure.ts";
import { withFile } from "../program.ts";
import { annotated } from "./annotations.ts";
import { limitProperties, scopeProperties } from "./properties.ts";
import { changeScope, startScope, stopScope } from "./scope.ts";
import type { ScopePlace } from "./unit.ts";

/** A scope that is there, with a process of ours in it. */
export interface StartedScope extends ScopePlace {
  /** Ended by the launch program as soon as the container's own process is there. */
  readonly holder: number;
}

/** Whether systemd is this machine's init (sd_booted(3)). */
const isBooted = (): boolean => existsSync("/run/systemd/system");

/** @throws RuntimeError where there is no systemd, or none that has cgroups of version 2 alone */
export function refuseWithoutSystemd(layout: Layout = readLayout()): void {
  const prefix = "systemd cgroup flag passed, but";
  if (!isBooted())
    throw new RuntimeError(
      `${prefix} this machine was not started by systemd (there is no /run/systemd/system): choose the cgroupfs driver of the caller`,
    );
  if (layout.mode !== "v2")
    throw new RuntimeError(
      `${prefix} this machine has cgroups of version 1, in which systemd's are not supported: boot with systemd.unified_cgroup_hierarchy=1, or choose the cgroupfs driver of the caller`,
    );
}

/**
 * Have systemd make the scope. A scope ends when it is empty, so there is a process in it from its first moment on: not
 * this one, whose memory and threads are not the container's.
 * @throws RuntimeError with systemd's words
 */
export async function openScope(place: ScopePlace, spec: RuntimeSpec, id: string): Promise<StartedScope> {
  const { annotations, linux } = spec;
  if ((linux?.resources?.pids?.limit ?? 0) === 1)
    throw new RuntimeError(
      "linux.resources.pids.limit: a scope of systemd needs room for two: make it at least 2",
    );
  const properties = [...scopeProperties(place, `cais container ${id}`), ...annotated(annotations)];
  const holder = withFile(compile(HOLDER), (path) =>
    startProgram(path, "cais-runtime-scope", () => undefined),
  );
  try {
    await startScope(place.unit, holder.pid, [...new Map(properties)]);
  } catch (error) {
    process.kill(holder.pid, "SIGKILL");
    throw new RuntimeError(`unable to start unit ${place.unit}: ${wordsOf(error)}`);
  }
  return { ...place, holder: holder.pid };
}

/** Tell systemd the limits that are about to be written. @throws RuntimeError with systemd's words */
export async function limitScope(unit: string, plan: Pick<CgroupPlan, "devices" | "writes">): Promise<void> {
  try {
    await changeScope(unit, limitProperties(plan));
  } catch (error) {
    throw new RuntimeError(`unable to set the properties of unit ${unit}: ${wordsOf(error)}`);
  }
}

/** End what is in the scope, and the scope. What systemd says of it is no error: it may have gone before us. */
export async function closeScope(
  layout: Layout,
  { cgroup, unit }: Pick<ScopePlace, "cgroup" | "unit">,
): Promise<string | undefined> {
  await killAll(layout, cgroup);
  try {
    await stopScope(unit);
    return undefined;
  } catch (error) {
    return `unable to stop unit ${unit}: ${wordsOf(error)}`;
  }
}

/** A process that does nothing, and ends with this one. */
const HOLDER: Plan = {
  steps: [
    ...spendProgram(),
    call(
      "prctl",
      [num(PR.SET_PDEATHSIG, "PR_SET_PDEATHSIG"), num(9, "SIGKILL")],
      "end when the runtime ends",
    ),
    call("ppoll", [num(0), num(0), num(0), num(0), num(0)], "hold the scope until the container is in it"),
  ],
};
