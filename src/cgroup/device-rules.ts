import type { DeviceRule } from "../oci/runtime/resources.ts";

const may = (access: string, numbers: readonly (readonly [major: number, minor?: number])[]): DeviceRule[] =>
  numbers.map(([major, minor]) => ({
    allow: true,
    type: "c",
    major,
    access,
    ...(minor === undefined ? {} : { minor }),
  }));

/**
 * Devices that every container has by the runtime specification (config-linux.md, "Default Devices"), so that no
 * configuration needs to allow them: null, zero, full, random, urandom, tty, ptmx and its terminals; and the
 * making of device nodes, which is harmless as long as opening them is denied. The list is runc's.
 */
const ALWAYS: readonly DeviceRule[] = [
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  ...may("rwm", [[1, 3], [1, 5], [1, 7], [1, 8], [1, 9], [5, 0], [5, 2], [136]]),
];

const anything = (value: number | undefined): number => (value === undefined || value < 0 ? -1 : value);

const same = (left: DeviceRule, right: DeviceRule): boolean =>
  left.allow === right.allow &&
  left.type === right.type &&
  anything(left.major) === anything(right.major) &&
  anything(left.minor) === anything(right.minor) &&
  (left.access || "rwm") === (right.access || "rwm");

const everything = (rule: DeviceRule): boolean =>
  (rule.type ?? "a") === "a" && anything(rule.major) < 0 && (rule.access || "rwm").length === 3;

/**
 * `rules` from the last one on that decides about everything (what came before it has no effect), and behind
 * them what every container may use, as far as it is not among them. Begins with a denial unless all is allowed.
 */
export function effectiveRules(rules: readonly DeviceRule[]): readonly DeviceRule[] {
  const from = rules.findLastIndex(everything);
  const own = from < 0 ? [{ allow: false }, ...rules] : rules.slice(from);
  if (own[0]?.allow === true) return own;
  return [...own, ...ALWAYS.filter((rule) => !own.some((each) => same(each, rule)))];
}
