import type { ListedChain } from "../../kernel/netlink/nft/decode.ts";
import type { TableName } from "../../kernel/netlink/nft/requests.ts";
import { linkExists } from "../host.ts";
import type { Chain } from "./ruleset.ts";

/**
 * Whose table it is. Several engines can be at work in one network namespace, each on a root of its own, and an engine
 * that has been killed has rules that go on being needed: so a table says by an empty chain which root it is for.
 */

/** 12 hexadecimal digits that stand for a root directory. */
export type Owner = string;

const TABLE: TableName = { family: "inet", name: "cais" };
const OWNER = /^root-([0-9a-f]{12})$/;
const ENTRANCE = /^to-(.+)$/;

/** The chain that says it: nothing jumps to it. */
export const ownerChain = (owner: Owner): Chain => ({ name: `root-${owner}`, rules: [], ordered: true });

/** What this root has where `cais` is another one's. */
export const ownName = (owner: Owner): string => `cais-${owner.slice(0, 6)}`;

/**
 * The table for the rules of a root: `inet cais`, unless that is another root's with a bridge that is there.
 * @param chains all chains of the namespace
 */
export function tableFor(owner: Owner | undefined, chains: readonly ListedChain[]): TableName {
  if (owner === undefined) return TABLE;
  const there = chains.filter(({ family, table }) => family === TABLE.family && table === TABLE.name);
  const owners = there.flatMap(({ name }) => OWNER.exec(name)?.[1] ?? []);
  const isOthers = owners.length > 0 && !owners.includes(owner);
  const used = bridgesOf(there).some(linkExists);
  return isOthers && used ? { ...TABLE, name: ownName(owner) } : TABLE;
}

/** Bridges that the rules of other roots are for. */
export function bridgesOfOthers(owner: Owner | undefined, chains: readonly ListedChain[]): readonly string[] {
  const others = new Set(
    chains.flatMap(({ name, table }) => {
      const found = OWNER.exec(name)?.[1];
      return found === undefined || found === owner ? [] : [table];
    }),
  );
  return bridgesOf(chains.filter(({ table }) => others.has(table)));
}

const bridgesOf = (chains: readonly ListedChain[]): string[] =>
  chains.flatMap(({ name }) => ENTRANCE.exec(name)?.[1] ?? []);
