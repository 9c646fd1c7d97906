import {
  attribute,
  be16,
  be32,
  be64,
  type Chunk,
  EMPTY,
  join,
  nested,
  raw,
  text,
  u8,
  u32,
} from "../chunk.ts";
import { NLM_F, type Request } from "../message.ts";
import { expressions } from "./expressions.ts";
import {
  CHAIN,
  CHAIN_HOOK,
  COMMENT_SIZE,
  HOOK,
  NFPROTO,
  NFT_MSG,
  RULE,
  TABLE,
  UDATA_COMMENT,
  VERDICT,
} from "./numbers.ts";
import { type Rule, ruleText } from "./rule.ts";

/** A table by its family and name: `inet cais`. */
export interface TableName {
  readonly family: "inet" | "ip" | "ip6";
  readonly name: string;
}

/** A chain that packets come by: where, and when among the others there. */
export interface Hook {
  /** A packet that a chain of type `route` has changed is routed anew. */
  readonly type: "filter" | "nat" | "route";
  readonly hook: keyof typeof HOOK;
  readonly priority: number;
  readonly policy: "accept" | "drop";
}

/** `struct nfgenmsg` (linux/netfilter/nfnetlink.h): family, version, resource. */
const header = ({ family }: TableName): Chunk => join(u8(NFPROTO[family], 0), be16(0));
const path = ({ family, name }: TableName) => `${family} ${name}`;

function request(type: number, flags: number, content: readonly Chunk[], line: string): Request {
  return { type, flags, content: join(...content), words: ["nft", line] };
}

/** Make a table; one that is there is fine. */
export const addTable = (table: TableName): Request =>
  request(
    NFT_MSG.NEWTABLE,
    NLM_F.CREATE,
    [header(table), attribute(TABLE.NAME, text(table.name)), attribute(TABLE.FLAGS, u32(0))],
    `add table ${path(table)}`,
  );

/** Remove a table with all that is in it; ENOENT where there is none. */
export const deleteTable = (table: TableName): Request =>
  request(
    NFT_MSG.DELTABLE,
    0,
    [header(table), attribute(TABLE.NAME, text(table.name))],
    `delete table ${path(table)}`,
  );

/** Make a chain; one with a hook is a base chain. */
export const addChain = (table: TableName, name: string, hook?: Hook): Request =>
  request(
    NFT_MSG.NEWCHAIN,
    NLM_F.CREATE,
    [
      header(table),
      attribute(CHAIN.TABLE, text(table.name)),
      attribute(CHAIN.NAME, text(name)),
      hook === undefined ? EMPTY : hookOf(hook),
    ],
    `add chain ${path(table)} ${name}${hook === undefined ? "" : ` ${hookText(hook)}`}`,
  );

const hookOf = ({ hook, policy, priority, type }: Hook): Chunk =>
  join(
    attribute(CHAIN.TYPE, text(type)),
    attribute(CHAIN.POLICY, be32(VERDICT[policy])),
    nested(
      CHAIN.HOOK,
      attribute(CHAIN_HOOK.NUMBER, be32(HOOK[hook])),
      attribute(CHAIN_HOOK.PRIORITY, be32(priority)),
    ),
  );

const hookText = ({ hook, policy, priority, type }: Hook): string =>
  `{ type ${type} hook ${hook} priority ${priority}; policy ${policy}; }`;

/** Remove an empty chain that nothing jumps to. */
export const deleteChain = (table: TableName, name: string): Request =>
  request(
    NFT_MSG.DELCHAIN,
    0,
    [header(table), attribute(CHAIN.TABLE, text(table.name)), attribute(CHAIN.NAME, text(name))],
    `delete chain ${path(table)} ${name}`,
  );

/** Append a rule to a chain. */
export const addRule = (table: TableName, chain: string, rule: Rule): Request =>
  request(
    NFT_MSG.NEWRULE,
    NLM_F.CREATE | NLM_F.APPEND,
    [
      header(table),
      attribute(RULE.TABLE, text(table.name)),
      attribute(RULE.CHAIN, text(chain)),
      nested(RULE.EXPRESSIONS, expressions(rule, table.family)),
      rule.comment === "" ? EMPTY : attribute(RULE.USERDATA, comment(rule.comment)),
    ],
    `add rule ${path(table)} ${chain} ${ruleText(rule)}${rule.comment === "" ? "" : ` comment "${cut(rule.comment)}"`}`,
  );

/** Remove all rules of a chain. */
export const flushChain = (table: TableName, chain: string): Request =>
  request(
    NFT_MSG.DELRULE,
    0,
    [header(table), attribute(RULE.TABLE, text(table.name)), attribute(RULE.CHAIN, text(chain))],
    `flush chain ${path(table)} ${chain}`,
  );

/** Remove one rule by the number that the kernel gave it. */
export const deleteRule = (table: TableName, chain: string, handle: bigint): Request =>
  request(
    NFT_MSG.DELRULE,
    0,
    [
      header(table),
      attribute(RULE.TABLE, text(table.name)),
      attribute(RULE.CHAIN, text(chain)),
      attribute(RULE.HANDLE, be64(handle)),
    ],
    `delete rule ${path(table)} ${chain} handle ${handle}`,
  );

/** All rules of a table; see `decodeRules`. */
export const listRules = (table: TableName, chain?: string): Request =>
  request(
    NFT_MSG.GETRULE,
    0,
    [
      header(table),
      attribute(RULE.TABLE, text(table.name)),
      ...(chain === undefined ? [] : [attribute(RULE.CHAIN, text(chain))]),
    ],
    chain === undefined ? `list table ${path(table)}` : `list chain ${path(table)} ${chain}`,
  );

/** All chains of all tables; see `decodeChains`. */
export const listChains = (): Request =>
  request(NFT_MSG.GETCHAIN, 0, [join(u8(NFPROTO.unspec, 0), be16(0))], "list chains");

/** A comment as nft(8) keeps it: no quotes, since its language has no way to write them, and at most 127 bytes. */
function cut(comment: string): string {
  const plain = comment.replaceAll(/["\\\n\r]/g, "");
  const bytes = new TextEncoder().encode(plain).subarray(0, COMMENT_SIZE - 1);
  // What is left of a character that was cut through is left out.
  return new TextDecoder().decode(bytes, { stream: true });
}

/** libnftnl's user data: type, length, and the text with its NUL. */
function comment(text: string): Chunk {
  const bytes = new TextEncoder().encode(`${cut(text)}\0`);
  return join(u8(UDATA_COMMENT, bytes.length), raw(bytes));
}
