import type { Request } from "../../kernel/netlink/message.ts";
import type { ListedRule } from "../../kernel/netlink/nft/decode.ts";
import {
  addChain,
  addRule,
  addTable,
  deleteChain,
  deleteRule,
  deleteTable,
  flushChain,
  type TableName,
} from "../../kernel/netlink/nft/requests.ts";
import { type Rule, ruleText } from "../../kernel/netlink/nft/rule.ts";
import { madeOnce } from "../../oci/once.ts";
import type { Chain } from "./ruleset.ts";

/** The whole table anew, whatever was there. Making it first lets its removal succeed where there was none. */
export function rebuild(table: TableName, chains: readonly Chain[]): Request[] {
  const gone = [addTable(table), deleteTable(table)];
  if (chains.length === 0) return gone;
  return [
    ...gone,
    addTable(table),
    ...chains.map(({ hook, name }) => addChain(table, name, hook)),
    ...chains.flatMap(({ name, rules }) => rules.map((rule) => addRule(table, name, rule))),
  ];
}

/** Rules that stay are the same objects as before: what they are is worked out once. */
const keyOf = madeOnce((rule: Rule) => `${ruleText(rule)}#${rule.comment}`);

/** The chains of which a change needs `listed`, the kernel's numbers of the rules that are there. */
export function needsHandles(before: readonly Chain[], after: readonly Chain[]): readonly string[] {
  const next = new Map(after.map((chain) => [chain.name, chain]));
  return before.flatMap((chain) => {
    const { ordered, rules } = next.get(chain.name) ?? { ordered: true, rules: [] };
    if (ordered) return [];
    const kept = new Set(rules.map(keyOf));
    return chain.rules.some((rule) => !kept.has(keyOf(rule))) ? [chain.name] : [];
  });
}

/**
 * What makes `after` of `before`: chains that are alike keep their rules and counters, and in those without an order
 * every rule does that stays. `listed` are the rules as the kernel has them.
 */
export function change(
  table: TableName,
  before: readonly Chain[],
  after: readonly Chain[],
  listed: readonly ListedRule[],
): Request[] {
  if (before.length === 0 || after.length === 0) {
    return before.length === after.length ? [] : rebuild(table, after);
  }
  const was = new Map(before.map((chain) => [chain.name, chain]));
  const is = new Set(after.map(({ name }) => name));
  const removals: Request[] = [];
  const additions: Request[] = [];
  for (const chain of after) {
    const old = was.get(chain.name);
    const { added, removed } = difference(table, old, chain, listed);
    removals.push(...removed);
    if (old === undefined) additions.unshift(addChain(table, chain.name, chain.hook));
    additions.push(...added.map((rule) => addRule(table, chain.name, rule)));
  }
  // Whatever jumped to them has been removed before.
  const gone = before.filter(({ name }) => !is.has(name)).map(({ name }) => name);
  return [
    ...gone.map((name) => flushChain(table, name)),
    ...removals,
    ...gone.map((name) => deleteChain(table, name)),
    ...additions,
  ];
}

function difference(
  table: TableName,
  old: Chain | undefined,
  chain: Chain,
  listed: readonly ListedRule[],
): { readonly removed: readonly Request[]; readonly added: readonly Rule[] } {
  if (old === undefined) return { removed: [], added: chain.rules };
  const before = old.rules.map(keyOf);
  const after = chain.rules.map(keyOf);
  if (before.length === after.length && before.every((key, index) => key === after[index]))
    return { removed: [], added: [] };
  if (!chain.ordered) {
    const kept = new Set(after);
    const there = new Set(before);
    const handles = listed.filter((each) => each.chain === chain.name).map(({ handle }) => handle);
    const gone = before.flatMap((key, index) => (kept.has(key) ? [] : [handles[index]]));
    // The kernel's list is as long as ours, or somebody else has changed it: then it is written anew.
    if (gone.length === 0 || handles.length === before.length) {
      return {
        removed: gone.flatMap((handle) =>
          handle === undefined ? [] : [deleteRule(table, chain.name, handle)],
        ),
        added: chain.rules.filter((rule) => !there.has(keyOf(rule))),
      };
    }
  }
  return { removed: [flushChain(table, chain.name)], added: chain.rules };
}

/** Rules of a chain in the order that the kernel has them in after `change`. */
export function settled(before: readonly Chain[], after: readonly Chain[]): readonly Chain[] {
  const was = new Map(before.map((chain) => [chain.name, chain]));
  return after.map((chain) => {
    const old = was.get(chain.name);
    if (chain.ordered || old === undefined) return chain;
    const kept = new Set(chain.rules.map(keyOf));
    const there = new Set(old.rules.map(keyOf));
    return {
      ...chain,
      rules: [
        ...old.rules.filter((rule) => kept.has(keyOf(rule))),
        ...chain.rules.filter((rule) => !there.has(keyOf(rule))),
      ],
    };
  });
}
