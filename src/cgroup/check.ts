import type { Resources } from "../oci/runtime/resources.ts";
import { exceptionOnVersion1 } from "./device-rules.ts";
import { directoryIn } from "./layout.ts";
import { hugepages, NEEDS, type Need } from "./needs.ts";
import type { Parent } from "./parent.ts";
import { missingNumbers } from "./ranges.ts";
import { deviceText } from "./v1.ts";

/** What this machine makes of `resources`. */
export interface Check {
  /** What is discarded because the kernel lacks it, one sentence each, as Docker warns at create. */
  readonly warnings: readonly string[];
  /** What cannot be: contradictions, and limits that would be dangerous to drop. Not empty: do not start. */
  readonly errors: readonly string[];
  /** The resources without what is discarded: what to give to `limits`. */
  readonly resources: Resources;
}

/**
 * Hold `resources` against what the kernel has below `parent`; each sentence names the file looked for. `strict` is for
 * a runtime configuration, of which nothing may be left out (config-linux.md): what would be a warning is an error.
 */
export function check(parent: Parent, resources: Resources, strict: "strict" | "lenient" = "lenient"): Check {
  const warnings: string[] = [];
  const errors = contradictions(parent, resources);
  let usable = resources;
  for (const need of NEEDS) {
    if (!need.asked(resources)) continue;
    const lacking = lack(parent, need);
    if (lacking === undefined) continue;
    if (strict === "strict" && need.obsolete !== true)
      errors.push(`linux.resources.${need.field}: it cannot be set: ${lacking}: leave it out`);
    else if (need.serious) errors.push(`${need.what} cannot be set: ${lacking}`);
    else {
      warnings.push(`${need.what} is discarded: ${lacking}`);
      usable = without(usable, need.field);
    }
  }
  for (const { pageSize } of resources.hugepageLimits ?? []) {
    const lacking = lack(parent, hugepages(pageSize));
    if (lacking !== undefined) errors.push(`The limit of ${pageSize} pages cannot be set: ${lacking}`);
  }
  return { warnings, errors, resources: usable };
}

/** Why `need` cannot be met here; undefined when it can. */
function lack({ layout, cgroup, files }: Parent, need: Need): string | undefined {
  for (const version of [1, 2] as const) {
    const tree = layout.controllers.get(version === 1 ? need.v1.controller : (need.v2 ?? need.v1).controller);
    if (tree === undefined || tree.version !== version) continue;
    const names = (version === 1 ? need.v1 : need.v2)?.files;
    if (names === undefined) return "cgroup v2 has nothing like it";
    if (names.length === 0) return "the kernel no longer has one";
    const present = files.get(tree.path);
    if (names.some((name) => present?.has(name))) return undefined;
    return `this kernel has no ${names.join(" or ")} in ${directoryIn(tree, cgroup)}`;
  }
  const mounted = layout.hierarchies.map(({ path }) => path).join(", ");
  return `no cgroup tree has the ${need.v1.controller} controller (looked in ${mounted})`;
}

/** `resources` without the part at `field` ("memory.swappiness"). */
function without(resources: Resources, field: string): Resources {
  const [section = "", name] = field.split(".");
  const { [section]: part, ...rest } = resources as Readonly<Record<string, unknown>>;
  if (name === undefined) return rest;
  const { [name]: _, ...kept } = part as Readonly<Record<string, unknown>>;
  return { ...rest, [section]: kept };
}

function contradictions({ layout, cpuset }: Parent, resources: Resources): string[] {
  const { memory, cpu, devices, unified } = resources;
  const errors: string[] = [];
  const limit = memory?.limit ?? 0;
  const swap = memory?.swap ?? 0;
  if (swap > 0 && limit <= 0)
    errors.push("memory.swap needs memory.limit: memory and swap together cannot be limited alone");
  if (swap > 0 && limit > swap)
    errors.push(
      `memory.swap (${swap}) counts memory and swap together, it cannot be below memory.limit (${limit})`,
    );
  if (memory?.reservation && limit > 0 && memory.reservation > limit)
    errors.push(`memory.reservation (${memory.reservation}) cannot be above memory.limit (${limit})`);
  // The kernel would take the nearest that it has, and say nothing.
  if (cpu?.shares && layout.controllers.get("cpu")?.version === 1) {
    if (cpu.shares === 1) errors.push("the minimum allowed cpu-shares is 2");
    if (cpu.shares > 262_144) errors.push("the maximum allowed cpu-shares is 262144");
  }
  if (cpu?.period && (cpu.period < 1000 || cpu.period > 1_000_000))
    errors.push(`cpu.period (${cpu.period}) must be between 1000 and 1000000 µs`);
  if (cpu?.quota && cpu.quota > 0 && cpu.quota < 1000)
    errors.push(`cpu.quota (${cpu.quota}) must be at least 1000 µs`);
  for (const kind of ["cpus", "mems"] as const) {
    const asked = cpu?.[kind];
    const available = cpuset?.[kind];
    const missing = asked && available ? missingNumbers(asked, available) : undefined;
    if (missing !== undefined) errors.push(`cpu.${kind} (${asked}) ${missing}; there are ${available}`);
  }
  const hole =
    layout.controllers.get("devices")?.version === 1 ? exceptionOnVersion1(devices ?? []) : undefined;
  if (hole !== undefined) {
    const { exception, wider } = hole;
    errors.push(
      `linux.resources.devices: cgroup v1 cannot make "${deviceText(exception)}" an exception from "${deviceText(wider)}": name what is allowed without it`,
    );
  }
  for (const name of Object.keys(unified ?? {})) {
    if (layout.mode !== "v2")
      errors.push(
        `invalid configuration: unified.${name} cannot be set: this host does not use cgroup v2 alone`,
      );
    else if (!/^[a-z0-9_]+\.[A-Za-z0-9_.]+$/.test(name) || name.startsWith("cgroup."))
      errors.push(`unified.${name} is no limit: name a file like memory.high`);
  }
  return errors;
}
