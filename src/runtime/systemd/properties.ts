import type { CgroupPlan } from "../../cgroup/plan.ts";
import { parseList } from "../../cgroup/ranges.ts";
import type { DeviceRule } from "../../oci/runtime/resources.ts";
import type { Variant } from "./marshal.ts";
import type { Properties } from "./scope.ts";
import type { ScopePlace } from "./unit.ts";

/**
 * Limits as properties of a unit (systemd.resource-control(5)): systemd writes the files of its cgroups anew when its
 * configuration is loaded again, and must write what we have written. Made from these writes, so that both agree.
 */

const INFINITY = 2n ** 64n - 1n;

const number = (text: string): Variant => ({
  type: "t",
  value: text === "max" || !/^\d{1,20}$/.test(text) ? INFINITY : BigInt(text),
});

/** The unit itself, before it has limits. */
export function scopeProperties(place: ScopePlace, description: string): Properties {
  const yes: Variant = { type: "b", value: true };
  const text = (value: string): Variant => ({ type: "s", value });
  return [
    ["Description", text(description)],
    ["Slice", text(place.slice)],
    // The cgroups below it are the container's own.
    ["Delegate", yes],
    ["MemoryAccounting", yes],
    ["CPUAccounting", yes],
    ["IOAccounting", yes],
    ["TasksAccounting", yes],
    // Nothing orders it before the shutdown: who made it ends it.
    ["DefaultDependencies", { type: "b", value: false }],
    // One that was killed for want of memory is not kept.
    ["CollectMode", text("inactive-or-failed")],
  ];
}

type Translation = (value: string) => Properties;

const named =
  (property: string): Translation =>
  (value) => [[property, number(value)]];

/** Files of cgroup v2 that systemd writes, by name. */
const FILES: Readonly<Record<string, Translation>> = {
  "cpu.idle": (value) => (value === "1" ? [["CPUWeight", { type: "t", value: 0n }]] : []),
  "cpu.weight": named("CPUWeight"),
  "cpu.max": quota,
  "cpuset.cpus": (value) => [["AllowedCPUs", mask(value)]],
  "cpuset.mems": (value) => [["AllowedMemoryNodes", mask(value)]],
  "io.weight": named("IOWeight"),
  "memory.high": named("MemoryHigh"),
  "memory.low": named("MemoryLow"),
  "memory.max": named("MemoryMax"),
  "memory.min": named("MemoryMin"),
  "memory.swap.max": named("MemorySwapMax"),
  "pids.max": named("TasksMax"),
};

/** The properties for `plan`'s writes, later ones winning. */
export function limitProperties({ devices, writes }: Pick<CgroupPlan, "devices" | "writes">): Properties {
  const found = writes.flatMap(({ file, value }) => {
    const name = file.slice(file.lastIndexOf("/") + 1);
    return Object.hasOwn(FILES, name) ? (FILES[name]?.(value) ?? []) : [];
  });
  return [...new Map(found), ...(devices === undefined ? [] : deviceProperties(devices))];
}

/** `quota period`, or one of them; systemd counts in whole per cent, and rounds down. */
function quota(value: string): Properties {
  const [time = "max", every = "100000"] = value.trim().split(/\s+/);
  const period = Number(every);
  const percent = time === "max" ? undefined : Math.ceil((Number(time) * 100) / period);
  const second = percent === undefined || Number.isNaN(percent) ? INFINITY : BigInt(percent) * 10_000n;
  return [
    ["CPUQuotaPeriodUSec", { type: "t", value: BigInt(period) }],
    ["CPUQuotaPerSecUSec", { type: "t", value: second }],
  ];
}

/** A list like `0-3,7` as bits, the first processor in the lowest bit of the first byte. */
function mask(list: string): Variant {
  const numbers = [...(parseList(list) ?? [])];
  const bytes = new Array<number>(Math.floor(Math.max(0, ...numbers) / 8) + 1).fill(0);
  for (const each of numbers) bytes[each >> 3] = (bytes[each >> 3] ?? 0) | (1 << (each & 7));
  return { type: "ay", value: bytes };
}

/**
 * Rules that deny everything and then allow some are what systemd can say. Others it is not told: our own program
 * decides in either case, and nothing is allowed that one of the two denies.
 */
function deviceProperties([first, ...rules]: readonly DeviceRule[]): Properties {
  const allowed = rules.map(deviceName);
  if (first === undefined || first.allow || allowed.includes(undefined)) return [];
  const value = rules.map((rule, index) => [allowed[index] ?? "", letters(rule)]);
  return [
    ["DevicePolicy", { type: "s", value: "strict" }],
    ["DeviceAllow", { type: "a(ss)", value }],
  ];
}

const letters = ({ access }: DeviceRule): string => access || "rwm";

/** As DeviceAllow= takes it; undefined for what it has no word for. */
function deviceName({ allow, major = -1, minor = -1, type = "a" }: DeviceRule): string | undefined {
  if (!allow || type === "a") return undefined;
  const kind = type === "c" ? "char" : "block";
  if (major < 0) return minor < 0 ? `${kind}-*` : undefined;
  return minor < 0 ? `${kind}-${major}` : `/dev/${kind}/${major}:${minor}`;
}
