import { HEADER } from "./message.ts";

/** A message of a list: its type, and what follows the header. */
export interface Answer {
  readonly type: number;
  readonly content: Uint8Array;
}

/** The messages of lists as a plan wrote them, one after the other, the one that ends each (`NLMSG.DONE`) included. */
export function answers(bytes: Uint8Array): Answer[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: Answer[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER || at + length > bytes.length) break;
    const type = view.getUint16(at + 4, true);
    found.push({ type, content: bytes.subarray(at + HEADER, at + length) });
    at += (length + 3) & ~3;
  }
  return found;
}

export type Attributes = ReadonlyMap<number, Uint8Array>;

/** Attributes by their type, the mark of nested ones left out; of several of one type the last. */
export function attributesOf(bytes: Uint8Array | undefined): Attributes {
  return new Map(listed(bytes));
}

/** Attributes in their order. */
export function listed(bytes: Uint8Array | undefined): (readonly [number, Uint8Array])[] {
  if (bytes === undefined) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: (readonly [number, Uint8Array])[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) break;
    found.push([view.getUint16(at + 2, true) & 0x3fff, bytes.subarray(at + 4, at + length)]);
    at += (length + 3) & ~3;
  }
  return found;
}

/** Text up to its NUL; empty where there is none. */
export function textOf(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return "";
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Of this machine; undefined where there is none. */
export const u32Of = (bytes: Uint8Array | undefined): number | undefined =>
  bytes === undefined || bytes.length < 4 ? undefined : viewOf(bytes).getUint32(0, true);

/** Big-endian, signed. */
export const be32Of = (bytes: Uint8Array | undefined): number | undefined =>
  bytes === undefined || bytes.length < 4 ? undefined : viewOf(bytes).getInt32(0);

/** Big-endian; undefined where there is none. */
export const be64Of = (bytes: Uint8Array | undefined): bigint | undefined =>
  bytes === undefined || bytes.length < 8 ? undefined : viewOf(bytes).getBigUint64(0);

/** Of this machine; 0 behind the end. */
export const u64At = (bytes: Uint8Array, offset: number): bigint =>
  offset + 8 > bytes.length ? 0n : viewOf(bytes).getBigUint64(offset, true);
