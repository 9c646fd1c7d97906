/**
 * The tables of iptables before nf_tables (linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h), as far
 * as it takes to read a policy.
 */
export const XTABLES = {
  /** Socket level, and where in an entry the offset of its target is, behind the addresses. */
  ip: { level: 0, family: 2, targetOffset: 88 },
  ip6: { level: 41, family: 10, targetOffset: 140 },
} as const;

/** Socket options: `struct ipt_getinfo` and `struct ipt_get_entries`. */
export const GET_INFO = 64;
export const GET_ENTRIES = 65;
export const INFO_SIZE = 84;
/** Bytes before the entries: name, size, padding. */
export const ENTRIES_HEADER = 40;
const NAME_SIZE = 32;
/** linux/netfilter.h: NF_INET_LOCAL_IN and NF_INET_FORWARD */
const HOOK = { input: 1, forward: 2 } as const;
/** `struct xt_entry_target` before the verdict of a standard target. */
const TARGET_HEADER = 32;
/** A verdict is stored as -verdict - 1. */
const DROP = -1;

/** The name of a table, padded, for a request. */
export function tableName(name: string): Uint8Array {
  const bytes = new Uint8Array(NAME_SIZE);
  bytes.set(new TextEncoder().encode(name));
  return bytes;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Bytes of a table's entries, from its `struct ipt_getinfo`. */
export const entriesSize = (info: Uint8Array): number =>
  info.length < INFO_SIZE ? 0 : viewOf(info).getUint32(80, true);

/** Whether what no rule of the hook's chain accepts is dropped. @param entries `struct ipt_get_entries` */
export function drops(
  family: keyof typeof XTABLES,
  hook: keyof typeof HOOK,
  info: Uint8Array,
  entries: Uint8Array,
): boolean {
  if (info.length < INFO_SIZE) return false;
  // name, valid hooks, where each hook's chain begins, where its policy is.
  const policy = ENTRIES_HEADER + viewOf(info).getUint32(NAME_SIZE + 4 + 20 + HOOK[hook] * 4, true);
  const view = viewOf(entries);
  const offset = policy + XTABLES[family].targetOffset;
  if (offset + 2 > entries.length) return false;
  const verdict = policy + view.getUint16(offset, true) + TARGET_HEADER;
  return verdict + 4 <= entries.length && view.getInt32(verdict, true) === DROP;
}
