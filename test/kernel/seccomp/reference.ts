import type { Condition, Policy } from "../../../src/kernel/seccomp/policy.ts";
import { aarch64 } from "../../../src/kernel/syscalls/aarch64.ts";
import { arm } from "../../../src/kernel/syscalls/arm.ts";
import { i386 } from "../../../src/kernel/syscalls/i386.ts";
import { x32 } from "../../../src/kernel/syscalls/x32.ts";
import { x86_64 } from "../../../src/kernel/syscalls/x86_64.ts";

export const ARCHES = [
  { name: "SCMP_ARCH_X86_64", host: "x86_64", audit: 0xc000003e, bits: 64, table: x86_64() },
  { name: "SCMP_ARCH_X86", host: "x86_64", audit: 0x40000003, bits: 32, table: i386() },
  { name: "SCMP_ARCH_X32", host: "x86_64", audit: 0xc000003e, bits: 32, table: x32() },
  { name: "SCMP_ARCH_AARCH64", host: "aarch64", audit: 0xc00000b7, bits: 64, table: aarch64() },
  { name: "SCMP_ARCH_ARM", host: "aarch64", audit: 0x40000028, bits: 32, table: arm() },
] as const;

/** What a filter answers for an action (linux/seccomp.h), without the data in its low half. */
export const RETURNS: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x30000,
  SCMP_ACT_ERRNO: 0x50000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};

const value = (action: string, errno: number | undefined) =>
  RETURNS[action]! + (action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE" ? (errno ?? 1) : 0);

function holds(condition: Condition, args: readonly bigint[], bits: 32 | 64): boolean {
  const cut = (number: bigint) => BigInt.asUintN(bits, number);
  const arg = cut(args[condition.index]!);
  const a = cut(BigInt(condition.value));
  const b = cut(BigInt(condition.valueTwo ?? 0));
  switch (condition.op) {
    case "SCMP_CMP_EQ":
      return arg === a;
    case "SCMP_CMP_NE":
      return arg !== a;
    case "SCMP_CMP_LT":
      return arg < a;
    case "SCMP_CMP_LE":
      return arg <= a;
    case "SCMP_CMP_GT":
      return arg > a;
    case "SCMP_CMP_GE":
      return arg >= a;
    case "SCMP_CMP_MASKED_EQ":
      return (arg & a) === (b & a);
  }
}

/** What the policy says about a call by name, rule by rule: slow and plain. */
export function evaluate(policy: Policy, name: string, args: readonly bigint[], bits: 32 | 64): number {
  const otherwise = value(policy.defaultAction, policy.defaultErrnoRet);
  const rules = (policy.syscalls ?? []).filter(
    (rule) => rule.names.includes(name) && value(rule.action, rule.errnoRet) !== otherwise,
  );
  const always = rules.find((rule) => (rule.args?.length ?? 0) === 0);
  if (always) return value(always.action, always.errnoRet);
  const match = rules.find((rule) => {
    const conditions = rule.args ?? [];
    const doubled = new Set(conditions.map(({ index }) => index)).size < conditions.length;
    const each = (condition: Condition) => holds(condition, args, bits);
    return doubled ? conditions.some(each) : conditions.every(each);
  });
  return match ? value(match.action, match.errnoRet) : otherwise;
}
