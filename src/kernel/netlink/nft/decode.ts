import { answers, attributesOf, be32Of, be64Of, listed, textOf } from "../decode.ts";
import {
  CHAIN,
  CHAIN_HOOK,
  COUNTER,
  EXPRESSION,
  HOOK,
  NFPROTO,
  NFT_MSG,
  RULE,
  UDATA_COMMENT,
  VERDICT,
} from "./numbers.ts";

/** A rule as far as it is read back: where it is, whose it says it is, what it has counted. */
export interface ListedRule {
  readonly chain: string;
  readonly handle: bigint;
  readonly comment: string;
  readonly packets: bigint;
  readonly bytes: bigint;
}

export interface ListedChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  /** Of a base chain. */
  readonly hook?: keyof typeof HOOK;
  readonly priority?: number;
  readonly policy?: "accept" | "drop";
}

/** Bytes of `struct nfgenmsg`. */
const GENERIC = 4;

/** The rules of an answer to `listRules`, in the order of their chains. */
export function decodeRules(bytes: Uint8Array): ListedRule[] {
  return answers(bytes)
    .filter(({ type }) => type === NFT_MSG.NEWRULE)
    .map(({ content }) => {
      const rule = attributesOf(content.subarray(GENERIC));
      const counter = listed(rule.get(RULE.EXPRESSIONS))
        .map(([, each]) => attributesOf(each))
        .find((each) => textOf(each.get(EXPRESSION.NAME)) === "counter");
      const counted = attributesOf(counter?.get(EXPRESSION.DATA));
      return {
        chain: textOf(rule.get(RULE.CHAIN)),
        handle: be64Of(rule.get(RULE.HANDLE)) ?? 0n,
        comment: commentOf(rule.get(RULE.USERDATA)),
        packets: be64Of(counted.get(COUNTER.PACKETS)) ?? 0n,
        bytes: be64Of(counted.get(COUNTER.BYTES)) ?? 0n,
      };
    });
}

/** libnftnl's user data: type, length, value, one after the other. */
function commentOf(data: Uint8Array | undefined): string {
  for (let at = 0; data !== undefined && at + 2 <= data.length; at += 2 + (data[at + 1] ?? 0)) {
    if (data[at] === UDATA_COMMENT) return textOf(data.subarray(at + 2, at + 2 + (data[at + 1] ?? 0)));
  }
  return "";
}

const named = <T extends Readonly<Record<string, number>>>(table: T, value: number | undefined) =>
  Object.entries(table).find(([, number]) => number === value)?.[0] as keyof T | undefined;

/** The chains of an answer to `listChains`. */
export function decodeChains(bytes: Uint8Array): ListedChain[] {
  return answers(bytes)
    .filter(({ type }) => type === NFT_MSG.NEWCHAIN)
    .map(({ content }) => {
      const chain = attributesOf(content.subarray(GENERIC));
      const at = attributesOf(chain.get(CHAIN.HOOK));
      const hook = named(HOOK, be32Of(at.get(CHAIN_HOOK.NUMBER)));
      const policy = be32Of(chain.get(CHAIN.POLICY)) === VERDICT.drop ? "drop" : "accept";
      return {
        family: named(NFPROTO, content[0]) ?? String(content[0]),
        table: textOf(chain.get(CHAIN.TABLE)),
        name: textOf(chain.get(CHAIN.NAME)),
        ...(hook === undefined ? {} : { hook, policy, priority: be32Of(at.get(CHAIN_HOOK.PRIORITY)) ?? 0 }),
      };
    });
}
