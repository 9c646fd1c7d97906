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
 * configuration needs to allow them: null, zero, full, random, urandom, tty, ptmx and its terminals; tun, which
 * images make themselves; and the making of device nodes, which is harmless as long as opening them is denied. The
 * list is runc's.
 */
const ALWAYS: readonly DeviceRule[] = [
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  ...may("rwm", [[1, 3], [1, 5], [1, 7], [1, 8], [1, 9], [5, 0], [5, 2], [136], [10, 200]]),
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

/** Rules for all types as rules for each: the devices cgroup of version 1 takes an "a" for everything, whatever follows it. */
export function eachType(rules: readonly DeviceRule[]): readonly DeviceRule[] {
  return rules.flatMap((rule) =>
    (rule.type ?? "a") !== "a" || everything(rule)
      ? [rule]
      : (["b", "c"] as const).map((type) => ({ ...rule, type })),
  );
}

const letters = ({ access }: DeviceRule): string => access || "rwm";
const meets = (left: number | undefined, right: number | undefined): boolean =>
  anything(left) < 0 || anything(right) < 0 || left === right;

/**
 * Two rules of which the later one makes an exception from the earlier. The devices cgroup of version 1 keeps a list
 * beside one default, and finds in it only what was written with the same numbers (`dev_exception_rm` in
 * security/device_cgroup.c): the later rule would have no effect.
 */
export function exceptionOnVersion1(
  rules: readonly DeviceRule[],
): { readonly wider: DeviceRule; readonly exception: DeviceRule } | undefined {
  const [first, ...more] = eachType(effectiveRules(rules));
  let listed: readonly DeviceRule[] = [];
  for (const rule of more) {
    if (rule.allow !== first?.allow) {
      listed = [...listed, rule];
      continue;
    }
    const hit = listed.filter(
      (each) =>
        each.type === rule.type &&
        meets(each.major, rule.major) &&
        meets(each.minor, rule.minor) &&
        [...letters(each)].some((letter) => letters(rule).includes(letter)),
    );
    const wider = hit.find(
      (each) =>
        anything(each.major) !== anything(rule.major) || anything(each.minor) !== anything(rule.minor),
    );
    if (wider !== undefined) return { wider, exception: rule };
    listed = listed.filter((each) => !hit.includes(each)).concat(hit.flatMap((each) => without(each, rule)));
  }
  return undefined;
}

function without(rule: DeviceRule, taken: DeviceRule): readonly DeviceRule[] {
  const access = [...letters(rule)].filter((letter) => !letters(taken).includes(letter)).join("");
  return access === "" ? [] : [{ ...rule, access }];
}
