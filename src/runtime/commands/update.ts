import { readFileSync } from "node:fs";
import { check } from "../../cgroup/check.ts";
import { readLayout } from "../../cgroup/layout.ts";
import { memoryLimit } from "../../cgroup/memory-limit.ts";
import { prepareParent } from "../../cgroup/parent.ts";
import { update as updateCgroup, updateWrites } from "../../cgroup/update.ts";
import { readUpdate } from "../../oci/runtime/config.ts";
import type { Resources } from "../../oci/runtime/resources.ts";
import { type Arguments, exactly, numberOf } from "../arguments.ts";
import { type Context, directoryOf, type RuntimeCommand } from "../context.ts";
import { RuntimeError } from "../failure.ts";
import { needsCgroup } from "../rootless.ts";
import { conditionOf } from "../status.ts";
import { readDocument } from "../store.ts";

const NUMBERS = [
  "blkio-weight",
  "cpu-period",
  "cpu-quota",
  "cpu-burst",
  "cpu-share",
  "cpu-rt-period",
  "cpu-rt-runtime",
  "cpu-idle",
  "memory",
  "memory-reservation",
  "memory-swap",
  "kernel-memory",
  "kernel-memory-tcp",
  "pids-limit",
] as const;

/** `update ID`: change limits of a running container: all that are named, or none. */
const update: RuntimeCommand = {
  flags: {
    resources: { short: "r", value: true },
    "cpuset-cpus": { value: true },
    "cpuset-mems": { value: true },
    "l3-cache-schema": { value: true },
    "mem-bw-schema": { value: true },
    ...Object.fromEntries(NUMBERS.map((name) => [name, { value: true as const }])),
  },
  async run(context, given) {
    const [id = ""] = exactly(given, 1, "update");
    for (const name of ["l3-cache-schema", "mem-bw-schema"])
      if (given.has(name))
        throw new RuntimeError(`Cannot use --${name}: this runtime does not manage Intel RDT`);
    const document = readDocument(context.root, id);
    needsCgroup(document, "update");
    const { status } = conditionOf(directoryOf(context, id), document);
    if (status === "stopped" || status === "creating") throw new RuntimeError("container not running");
    const { cgroup } = document;
    const layout = readLayout();
    const parent = prepareParent(layout, cgroup.slice(0, cgroup.lastIndexOf("/")) || "/");
    const { errors, resources, warnings } = check(
      parent,
      besideMemory(unchanged(wanted(context, given)), () => memoryLimit(layout, cgroup)),
    );
    if (errors.length > 0) throw new RuntimeError(`Cannot update container ${id}: ${errors.join("; ")}`);
    for (const warning of warnings) context.log.warn(warning);
    const { unit } = document;
    if (unit !== undefined) {
      const { limitScope } = await import("../systemd/start.ts");
      await limitScope(unit, { writes: updateWrites(parent, cgroup, resources) });
    }
    updateCgroup(parent, cgroup, resources);
    return 0;
  },
};
export default update;

function wanted(context: Context, given: Arguments): Resources {
  const file = given.get("resources");
  if (file === undefined) return fromFlags(context, given);
  const text = readFileSync(file === "-" ? 0 : file);
  const { value, warnings } = readUpdate(text, file === "-" ? "the resources on standard input" : file);
  for (const warning of warnings) context.log.warn(warning);
  return value;
}

function fromFlags(context: Context, given: Arguments): Resources {
  for (const name of ["kernel-memory", "kernel-memory-tcp"])
    if (given.has(name)) context.log.warn(`--${name} is ignored: the kernel no longer has such a limit`);
  const number = (name: (typeof NUMBERS)[number]) =>
    name.startsWith("memory") ? bytes(given, name) : numberOf(given, name);
  return (withoutAbsent({
    memory: withoutAbsent({
      limit: number("memory"),
      reservation: number("memory-reservation"),
      swap: number("memory-swap"),
    }),
    cpu: withoutAbsent({
      shares: number("cpu-share"),
      quota: number("cpu-quota"),
      burst: number("cpu-burst"),
      period: number("cpu-period"),
      realtimeRuntime: number("cpu-rt-runtime"),
      realtimePeriod: number("cpu-rt-period"),
      idle: number("cpu-idle"),
      cpus: given.get("cpuset-cpus"),
      mems: given.get("cpuset-mems"),
    }),
    blockIO: withoutAbsent({ weight: number("blkio-weight") }),
    pids: withoutAbsent({ limit: number("pids-limit") }),
  }) ?? {}) as Resources;
}

/** `100000000`, or with a unit of 1024: `100m`. */
function bytes(given: Arguments, name: string): number | undefined {
  const text = given.get(name);
  const [, digits, unit = ""] = /^(-?\d{1,15})([bkmgt]?)b?$/i.exec(text ?? "") ?? [];
  if (text === undefined) return undefined;
  if (digits === undefined) throw new RuntimeError(`invalid value for ${name}: ${text}`);
  return Number(digits) * 1024 ** Math.max(0, "bkmgt".indexOf(unit.toLowerCase() || "b"));
}

/** The object without what is undefined; undefined when that is all. */
function withoutAbsent(object: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Memory and swap are counted together: a new limit of both stands beside the memory's own, which stays. */
function besideMemory(resources: Resources, current: () => number | undefined): Resources {
  const { memory } = resources;
  if (!memory?.swap || memory.swap < 0 || memory.limit) return resources;
  const limit = current();
  return limit === undefined ? resources : { ...resources, memory: { ...memory, limit } };
}

/** Zero is "as it is", for what callers always send; device rules of a running container stay. */
function unchanged(resources: Resources): Resources {
  const { devices: _, pids, ...rest } = resources;
  return pids?.limit === undefined || pids.limit === 0 ? rest : { ...rest, pids };
}
