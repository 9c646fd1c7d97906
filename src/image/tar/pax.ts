import { type ByteText, byteText } from "./entry.ts";
import { badArchive } from "./error.ts";

/** PAX records: keyword → value as bytes, in archive order (several `GNU.sparse.offset` may follow each other). */
export type PaxRecords = readonly (readonly [key: string, value: Uint8Array])[];

/** Parses `"%d %s=%s\n"` records (POSIX.1-2001, pax, "Extended Header"); values may hold any byte. */
export function parsePax(data: Uint8Array): PaxRecords {
  const records: [string, Uint8Array][] = [];
  let at = 0;
  while (at < data.length) {
    const space = data.indexOf(0x20, at);
    const digits = space === -1 ? "" : byteText(data.subarray(at, Math.min(space, at + 20)));
    const length = /^[0-9]+$/.test(digits) ? Number.parseInt(digits, 10) : 0;
    const end = at + length;
    if (length < digits.length + 4 || end > data.length || data[end - 1] !== 0x0a) {
      throw badArchive("it holds a malformed extended header");
    }
    const equals = data.indexOf(0x3d, space);
    if (equals === -1 || equals >= end) throw badArchive("it holds an extended header without a value");
    const key = byteText(data.subarray(space + 1, equals));
    records.push([key, data.slice(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** What extended headers change in an entry; the last record of a key wins, an empty value takes it back. */
export interface Overrides {
  readonly text: ReadonlyMap<string, ByteText>;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Offsets and lengths of GNU.sparse 0.0, in order. */
  readonly sparse: readonly number[];
}

const XATTR = "SCHILY.xattr.";
const LIBARCHIVE_XATTR = "LIBARCHIVE.xattr.";

/** Merges global and local records. */
export function overridesOf(...lists: readonly PaxRecords[]): Overrides {
  const text = new Map<string, ByteText>();
  const xattrs = new Map<string, Uint8Array>();
  const sparse: number[] = [];
  for (const [key, value] of lists.flat()) {
    if (key.startsWith(XATTR)) xattrs.set(key.slice(XATTR.length), value);
    else if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes")
      sparse.push(decimal(byteText(value)));
    else if (value.length === 0) text.delete(key);
    else if (!key.startsWith(LIBARCHIVE_XATTR)) text.set(key, byteText(value));
  }
  return { text, xattrs, sparse };
}

/** A decimal number, perhaps negative or with a fraction; NaN when it is none. */
export function decimal(text: string): number {
  return /^-?[0-9]+(\.[0-9]*)?$/.test(text) && text.length < 40 ? Number(text) : Number.NaN;
}
