import type { Arch } from "../arch.ts";
import { X32_BIT } from "../syscalls/x32.ts";
import { lets, RETURN_ALLOW, RETURN_ENOSYS, RETURN_KILL_PROCESS, returnValue } from "./action.ts";
import { type Architecture, architectures } from "./architecture.ts";
import { conditionNode } from "./condition.ts";
import type { Policy } from "./policy.ts";
import { assemble, type Node } from "./program.ts";
import { type Alternative, lastKnown, rulesOf } from "./rules.ts";

/** Offsets in `struct seccomp_data`. */
const NUMBER = 0;
const ARCHITECTURE = 4;

/** What happens to the system calls from `first` up to the next range. */
interface Range {
  readonly first: number;
  readonly node: Node;
}

/**
 * The classic BPF program (an array of `struct sock_filter`, for `seccomp(2)`) that enforces `policy` on `host`.
 * A call of an architecture that the policy has not ends the process. Numbers above every call the policy names
 * get ENOSYS rather than a refusal, so that C libraries fall back as they do on an older kernel (runc does the same).
 * Throws for a policy that means nothing: unknown actions, operators, architectures.
 */
export function compile(policy: Policy, host: Arch): Uint8Array {
  const known = compiled.get(policy)?.get(host);
  if (known !== undefined) return known;
  const program = compileAnew(policy, host);
  compiled.set(policy, new Map([...(compiled.get(policy) ?? []), [host, program]]));
  return program;
}

/** A policy is immutable, and most containers have the same one. */
const compiled = new WeakMap<Policy, ReadonlyMap<Arch, Uint8Array>>();

function compileAnew(policy: Policy, host: Arch): Uint8Array {
  const byAudit = new Map<number, Architecture[]>();
  for (const architecture of architectures(host, policy.architectures ?? [])) {
    byAudit.set(architecture.audit, [...(byAudit.get(architecture.audit) ?? []), architecture]);
  }
  let dispatch = returns(RETURN_KILL_PROCESS);
  for (const [audit, group] of [...byAudit].reverse()) {
    const search = searchTree(merged(group.flatMap((architecture) => rangesOf(policy, architecture))));
    const numbers: Node = { kind: "load", offset: NUMBER, next: search };
    dispatch = { kind: "test", op: "eq", value: audit, yes: numbers, no: dispatch };
  }
  return assemble({ kind: "load", offset: ARCHITECTURE, next: dispatch });
}

/**
 * The ranges of one architecture, from its first number up. That of x86-64 ends where x32's would begin, with
 * another that ends the process; x32's ranges, if there are any, come after it and replace it.
 */
function rangesOf(policy: Policy, architecture: Architecture): readonly Range[] {
  const defaultNode = returns(returnValue(policy.defaultAction, policy.defaultErrnoRet));
  const x32 = architecture.name === "SCMP_ARCH_X32";
  const rules = [...rulesOf(policy, architecture)].sort(([a], [b]) => a - b);
  const ranges: Range[] = [{ first: x32 ? X32_BIT : 0, node: defaultNode }];
  for (const [number, alternatives] of rules) {
    const node = alternativesNode(alternatives, architecture.bits, defaultNode);
    ranges.push({ first: number, node }, { first: number + 1, node: defaultNode });
  }
  const last = lastKnown(policy, architecture);
  if (last !== undefined && !lets(policy.defaultAction))
    ranges.push({ first: last + 1, node: returns(RETURN_ENOSYS) });
  if (architecture.name === "SCMP_ARCH_X86_64")
    ranges.push({ first: X32_BIT, node: returns(RETURN_KILL_PROCESS) });
  // A tracer that skips a call sets its number to -1; what it wants returned must stay.
  ranges.push({ first: 0xffff_ffff, node: returns(RETURN_ALLOW) });
  return ranges;
}

/** The first alternative that holds; one without conditions beats all others, as in libseccomp. */
function alternativesNode(alternatives: readonly Alternative[], bits: 32 | 64, otherwise: Node): Node {
  const always = alternatives.find(({ conditions }) => conditions.length === 0);
  if (always) return returns(always.value);
  return alternatives.reduceRight<Node>(
    (no, { conditions, value }) =>
      conditions.reduceRight<Node>(
        (yes, condition) => conditionNode(condition, bits, yes, no),
        returns(value),
      ),
    otherwise,
  );
}

/** Ordered, a later one winning over an earlier one with the same start; neighbours that do the same are one. */
function merged(ranges: readonly Range[]): readonly Range[] {
  const byStart = new Map(ranges.map((range) => [range.first, range]));
  const ordered = [...byStart.values()].sort((a, b) => a.first - b.first);
  return ordered.filter((range, index) => index === 0 || !same(range.node, ordered[index - 1]!.node));
}

function same(a: Node, b: Node): boolean {
  return a === b || (a.kind === "return" && b.kind === "return" && a.value === b.value);
}

/** A balanced binary search: a policy of 400 calls is decided in seven or eight comparisons. */
function searchTree(ranges: readonly Range[]): Node {
  if (ranges.length === 1) return ranges[0]!.node;
  const middle = ranges.length >> 1;
  return {
    kind: "test",
    op: "ge",
    value: ranges[middle]!.first,
    yes: searchTree(ranges.slice(middle)),
    no: searchTree(ranges.slice(0, middle)),
  };
}

function returns(value: number): Node {
  return { kind: "return", value };
}
