/** Bytes of a netlink message, with places whose value is known only when it is sent. */
export interface Chunk {
  readonly bytes: Uint8Array;
  readonly holes: readonly Hole[];
}

/** A 32-bit place for what a slot of the sending program holds. */
export interface Hole {
  readonly offset: number;
  readonly slot: string;
}

/** A 32-bit number: known now, or held by a slot of the program that sends it. */
export type Value = number | { readonly slot: string };

const NONE: readonly Hole[] = [];

/** Bytes that are all known. */
export const raw = (bytes: Uint8Array): Chunk => ({ bytes, holes: NONE });
/** Nothing. */
export const EMPTY: Chunk = raw(new Uint8Array());

/** One after the other. */
export function join(...chunks: readonly Chunk[]): Chunk {
  let length = 0;
  for (const { bytes } of chunks) length += bytes.length;
  const all = new Uint8Array(length);
  const holes: Hole[] = [];
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk.bytes, at);
    for (const { offset, slot } of chunk.holes) holes.push({ offset: at + offset, slot });
    at += chunk.bytes.length;
  }
  return { bytes: all, holes };
}

/** Bytes, one by one. */
export const u8 = (...values: readonly number[]): Chunk => raw(Uint8Array.from(values));

/** Of this machine: both architectures are little-endian. */
export const u16 = (value: number): Chunk => u8(value & 0xff, (value >> 8) & 0xff);

/** Of this machine; a hole where a slot has it. */
export function u32(value: Value): Chunk {
  if (typeof value === "number")
    return u8(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
  return { bytes: new Uint8Array(4), holes: [{ offset: 0, slot: value.slot }] };
}

/** Big-endian, as addresses, ports and most of nf_tables are. */
export const be16 = (value: number): Chunk => u8((value >> 8) & 0xff, value & 0xff);
/** Big-endian. */
export const be32 = (value: number): Chunk =>
  u8(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);

/** Big-endian. */
export function be64(value: bigint): Chunk {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value));
  return raw(bytes);
}

const encoder = new TextEncoder();

/** With its NUL. */
export const text = (value: string): Chunk => raw(encoder.encode(`${value}\0`));

/** `struct nlattr` (linux/netlink.h): length, type, content, padded to four bytes. */
export function attribute(type: number, ...content: readonly Chunk[]): Chunk {
  const inner = join(...content);
  const length = 4 + inner.bytes.length;
  const bytes = new Uint8Array((length + 3) & ~3);
  bytes[0] = length & 0xff;
  bytes[1] = length >> 8;
  bytes[2] = type & 0xff;
  bytes[3] = type >> 8;
  bytes.set(inner.bytes, 4);
  return { bytes, holes: inner.holes.map(({ offset, slot }) => ({ offset: offset + 4, slot })) };
}

/** NLA_F_NESTED (linux/netlink.h). */
const NESTED = 0x8000;

/** An attribute of attributes, marked as one: nf_tables insists on the mark. */
export const nested = (type: number, ...content: readonly Chunk[]): Chunk =>
  attribute(type | NESTED, ...content);
