/** An IP address as a number with its family. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** A block of addresses: those that share the first `length` bits of `base`. */
export interface Subnet {
  readonly family: 4 | 6;
  /** First address; bits behind `length` are 0. */
  readonly base: bigint;
  readonly length: number;
}

const BITS = { 4: 32, 6: 128 } as const;

/** Dotted decimal, or RFC 4291 text (zones are not addresses). @returns null for anything else */
export function parseAddress(text: string): Address | null {
  if (text.length > 45) return null;
  return text.includes(":") ? parse6(text) : parse4(text);
}

function parse4(text: string): Address | null {
  // As Go's netip: no leading zeros, which some read as octal.
  const match = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/.exec(text);
  if (match === null) return null;
  const bytes = match.slice(1).map(Number);
  if (bytes.some((byte) => byte > 255)) return null;
  return { family: 4, value: bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) };
}

function parse6(text: string): Address | null {
  let rest = text;
  const tail: number[] = [];
  const dotted = /:(\d+\.[\d.]+)$/.exec(text);
  if (dotted?.[1] !== undefined) {
    const four = parse4(dotted[1]);
    if (four === null) return null;
    tail.push(Number(four.value >> 16n), Number(four.value & 0xffffn));
    rest = text.slice(0, -dotted[1].length);
    // The colon before the dotted part separates it, unless it is the second of "::".
    if (!rest.endsWith("::")) rest = rest.slice(0, -1);
  }
  const halves = rest.split("::");
  if (halves.length > 2) return null;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  if (groups.flat().some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  const [head = [], behind] = groups.map((half) => half.map((group) => Number.parseInt(group, 16)));
  const last = [...(behind ?? []), ...tail];
  const missing = 8 - head.length - last.length;
  if (behind === undefined ? missing !== 0 : missing < 1) return null;
  const all = [...head, ...new Array<number>(missing).fill(0), ...last];
  return { family: 6, value: all.reduce((value, group) => (value << 16n) | BigInt(group), 0n) };
}

/** The usual text of an address; IPv6 as RFC 5952 has it. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  let at = -1;
  let longest = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > longest) [at, longest] = [start, end - start];
  }
  const hex = (list: readonly number[]): string => list.map((group) => group.toString(16)).join(":");
  return at < 0 ? hex(groups) : `${hex(groups.slice(0, at))}::${hex(groups.slice(at + longest))}`;
}

/** Bytes in network order, as netlink takes them. */
export function addressBytes({ family, value }: Address): Uint8Array {
  const bytes = new Uint8Array(BITS[family] / 8);
  for (let i = bytes.length - 1, left = value; i >= 0; i--, left >>= 8n) bytes[i] = Number(left & 255n);
  return bytes;
}

/** `address/length` as it is written, bits behind the length included. @returns null for anything else */
export function parsePrefix(text: string): { readonly address: Address; readonly length: number } | null {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = match === null ? null : parseAddress(match[1]!);
  if (address === null) return null;
  const length = Number(match![2]);
  return length <= BITS[address.family] ? { address, length } : null;
}

/** The block that an address is in. */
export function subnetOf({ family, value }: Address, length: number): Subnet {
  const behind = BigInt(BITS[family] - length);
  return { family, base: (value >> behind) << behind, length };
}

/** A block as `base/length`; bits behind the length are dropped. @returns null for what is none */
export function parseSubnet(text: string): Subnet | null {
  const prefix = parsePrefix(text);
  return prefix === null ? null : subnetOf(prefix.address, prefix.length);
}

/** `base/length`. */
export const formatSubnet = ({ family, base, length }: Subnet): string =>
  `${formatAddress({ family, value: base })}/${length}`;

/** Last address of a block: in IPv4 its broadcast address. */
export const lastOf = ({ family, base, length }: Subnet): bigint =>
  base + (1n << BigInt(BITS[family] - length)) - 1n;

/** Whether an address is in a block. */
export const contains = (subnet: Subnet, { family, value }: Address): boolean =>
  family === subnet.family && value >= subnet.base && value <= lastOf(subnet);

/** Whether two blocks share an address. */
export const overlaps = (a: Subnet, b: Subnet): boolean =>
  a.family === b.family && a.base <= lastOf(b) && b.base <= lastOf(a);
