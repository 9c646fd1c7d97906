import type { Cursor } from "./cursor.ts";
import type { Extent } from "./entry.ts";
import { badArchive } from "./error.ts";
import { BLOCK, numberField, type RawHeader } from "./header.ts";
import type { Overrides } from "./pax.ts";
import { decimal } from "./pax.ts";

/** Where the data of a sparse file belongs. */
export interface SparseMap {
  readonly extents: readonly Extent[];
  readonly realSize: number;
  /** Bytes of the entry's data that the map itself took. */
  readonly consumed: number;
}

/** More stretches than any real file has; each costs memory before a byte is written. */
const EXTENTS_MAX = 1_000_000;

/** The map of the old GNU format (type "S"): four extents in the header, the rest in blocks that follow. */
export async function oldGnuSparse(header: RawHeader, cursor: Cursor): Promise<SparseMap> {
  const numbers: number[] = [];
  const take = (block: Uint8Array, offset: number, count: number): void => {
    for (let i = 0; i < count; i++) {
      const at = offset + 24 * i;
      if (block[at] === 0) return;
      numbers.push(numberField(block, at, 12), numberField(block, at + 12, 12));
    }
  };
  take(header.block, 386, 4);
  let more = header.block[482] === 1;
  while (more) {
    const block = await cursor.exactly(BLOCK);
    if (block === undefined) throw badArchive("it ends inside a sparse file's map");
    take(block, 0, 21);
    more = block[504] === 1;
    if (numbers.length > 2 * EXTENTS_MAX) throw badArchive("a sparse file has too many pieces");
  }
  return { extents: extentsOf(numbers), realSize: numberField(header.block, 483, 12), consumed: 0 };
}

/** The map of GNU.sparse 0.0, 0.1 and 1.0 (tar manual, "PAX Format, Version 0.0 …"); undefined for other files. */
export async function paxSparse(overrides: Overrides, cursor: Cursor): Promise<SparseMap | undefined> {
  const { text, sparse } = overrides;
  const realSize = decimal(text.get("GNU.sparse.realsize") ?? text.get("GNU.sparse.size") ?? "");
  if (text.get("GNU.sparse.major") === "1") {
    const { numbers, consumed } = await mapInData(cursor);
    return { extents: extentsOf(numbers), realSize, consumed };
  }
  const map = text.get("GNU.sparse.map");
  if (map !== undefined) return { extents: extentsOf(map.split(",").map(decimal)), realSize, consumed: 0 };
  if (sparse.length > 0) return { extents: extentsOf(sparse), realSize, consumed: 0 };
  return undefined;
}

/** Version 1.0 puts the map before the data: decimal lines, padded to a block. */
async function mapInData(cursor: Cursor): Promise<{ numbers: number[]; consumed: number }> {
  const numbers: number[] = [];
  let wanted = Number.POSITIVE_INFINITY;
  let digits = "";
  let consumed = 0;
  while (numbers.length < wanted) {
    const block = await cursor.exactly(BLOCK);
    if (block === undefined) throw badArchive("it ends inside a sparse file's map");
    consumed += BLOCK;
    for (let i = 0; i < BLOCK && numbers.length < wanted; i++) {
      const byte = block[i] ?? 0;
      if (byte !== 0x0a) {
        digits += String.fromCharCode(byte);
        if (digits.length > 20) throw badArchive("a sparse file's map is malformed");
        continue;
      }
      const value = decimal(digits);
      digits = "";
      if (wanted === Number.POSITIVE_INFINITY) {
        if (!(value >= 0 && value <= EXTENTS_MAX)) throw badArchive("a sparse file has too many pieces");
        wanted = 2 * value;
      } else numbers.push(value);
    }
  }
  return { numbers, consumed };
}

function extentsOf(numbers: readonly number[]): Extent[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * EXTENTS_MAX) {
    throw badArchive("a sparse file's map is malformed");
  }
  const extents: Extent[] = [];
  let end = 0;
  for (let i = 0; i < numbers.length; i += 2) {
    const offset = numbers[i] ?? Number.NaN;
    const length = numbers[i + 1] ?? Number.NaN;
    if (!(Number.isSafeInteger(offset + length) && offset >= end && length >= 0)) {
      throw badArchive("a sparse file's pieces overlap or are out of order");
    }
    end = offset + length;
    extents.push({ offset, length });
  }
  return extents;
}
