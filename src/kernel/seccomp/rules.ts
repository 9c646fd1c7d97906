import { returnValue } from "./action.ts";
import type { Architecture } from "./architecture.ts";
import { multiplexer } from "./multiplex.ts";
import type { Condition, Policy, Rule } from "./policy.ts";

/** What a policy says about one system call: alternatives, each with conditions that must all hold. */
export interface Alternative {
  readonly conditions: readonly Condition[];
  readonly value: number;
}

/**
 * The policy's rules by system call number of `architecture`, in the policy's order; calls the architecture has not
 * are left out. A rule that only repeats the default is none, as with runc.
 */
export function rulesOf(
  policy: Policy,
  architecture: Architecture,
): ReadonlyMap<number, readonly Alternative[]> {
  const defaultValue = returnValue(policy.defaultAction, policy.defaultErrnoRet);
  const rules = new Map<number, Alternative[]>();
  const add = (number: number, alternatives: readonly Alternative[]) => {
    rules.set(number, [...(rules.get(number) ?? []), ...alternatives]);
  };
  for (const rule of policy.syscalls ?? []) {
    const value = returnValue(rule.action, rule.errnoRet);
    if (value === defaultValue) continue;
    const alternatives = alternativesOf(rule, value);
    for (const name of new Set(rule.names)) {
      if (!Object.hasOwn(architecture.syscalls, name)) continue;
      add(architecture.syscalls[name]!, alternatives);
      const shared =
        architecture.name === "SCMP_ARCH_X86" ? multiplexer(name, rule, policy.defaultAction) : undefined;
      if (shared) add(architecture.syscalls[shared.name]!, [{ conditions: [shared.condition], value }]);
    }
  }
  return rules;
}

/** Two conditions on one argument cannot be meant together: then every condition is an alternative, as with runc. */
function alternativesOf(rule: Rule, value: number): readonly Alternative[] {
  const conditions = rule.args ?? [];
  const once = new Set(conditions.map(({ index }) => index)).size === conditions.length;
  return once ? [{ conditions, value }] : conditions.map((condition) => ({ conditions: [condition], value }));
}

/** The highest number, ARM's own calls aside, that the policy knows a name for, whatever it says about it. */
export function lastKnown(policy: Policy, architecture: Architecture): number | undefined {
  let last: number | undefined;
  for (const { names } of policy.syscalls ?? []) {
    for (const name of names) {
      if (!Object.hasOwn(architecture.syscalls, name)) continue;
      const number = architecture.syscalls[name]!;
      if (number < (architecture.own ?? Infinity)) last = Math.max(last ?? 0, number);
    }
  }
  return last;
}
