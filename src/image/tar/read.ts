import type { Bytes } from "../../storage/driver.ts";
import { type Cursor, cursorOf } from "./cursor.ts";
import { type ByteText, byteText, type EntryHeader, type EntryType, type Extent } from "./entry.ts";
import { badArchive, badEntry } from "./error.ts";
import { BLOCK, decodeHeader, isZero, type RawHeader } from "./header.ts";
import { decimal, type Overrides, overridesOf, type PaxRecords, parsePax } from "./pax.ts";
import { oldGnuSparse, paxSparse, type SparseMap } from "./sparse.ts";

/** A piece of a file's data and where it belongs; holes are what no piece covers. */
export interface Piece {
  readonly offset: number;
  /** Valid until the next piece is asked for. */
  readonly bytes: Uint8Array;
}

/** One entry with its data, to be read before the next entry is asked for (what is not read is passed over). */
export interface Entry extends EntryHeader {
  data(): AsyncGenerator<Piece, void, void>;
}

/** Bound on one extended header, and on all of them before one entry. */
const EXTENDED_MAX = 4 * 1024 * 1024;
/** Longest name of a path the kernel takes (PATH_MAX), and then some for the archive's own prefixes. */
const NAME_MAX = 8192;
/** More headers than this before one entry is an attack. */
const HEADERS_MAX = 64;

const TYPES: Readonly<Record<string, EntryType>> = {
  "0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
  S: "file",
};

/**
 * Reads an uncompressed tar archive: ustar, PAX, GNU (long names, sparse files, base-256 numbers). Ends at two
 * zero blocks, or with the stream once an entry's data is complete (the docker client does not fill the last block of
 * what it adds to a context); a stream that ends elsewhere is refused as truncated. The rest of the stream after the two blocks is read and ignored.
 */
export async function* readTar(source: Bytes): AsyncGenerator<Entry, void, void> {
  const cursor = cursorOf(source);
  let position = 0;
  let globals: PaxRecords = [];
  try {
    for (let first = true; ; first = false) {
      const next = await nextHeader(cursor, position, globals, first);
      if (next === undefined) break;
      globals = next.globals;
      const { entry, stored, padding, sparse } = next;
      let read = 0;
      let broken = false;
      async function* data(): AsyncGenerator<Piece, void, void> {
        for (const extent of sparse?.extents ?? [{ offset: 0, length: stored }]) {
          let at = extent.offset;
          const end = extent.offset + extent.length;
          while (at < end) {
            const bytes = await cursor.some(Math.min(end - at, stored - read));
            if (bytes === undefined || bytes.length === 0) {
              broken = true;
              throw badEntry(entry.name, "the archive is truncated inside this file");
            }
            read += bytes.length;
            yield { offset: at, bytes };
            at += bytes.length;
          }
        }
      }
      yield { ...entry, data };
      if (broken || !(await cursor.skip(stored - read))) {
        throw badEntry(entry.name, "the archive is truncated inside this file");
      }
      if (!(await cursor.skip(padding))) break;
      position = next.position + stored + padding;
    }
    await cursor.drain();
  } finally {
    await cursor.close();
  }
}

/** Whether an archive has no entry: a layer of a container that changed nothing. */
export async function isEmpty(tar: Bytes): Promise<boolean> {
  for await (const _ of readTar(tar)) return false;
  return true;
}

interface Next {
  readonly entry: EntryHeader;
  /** Bytes of data that follow, without padding. */
  readonly stored: number;
  readonly padding: number;
  readonly sparse: SparseMap | undefined;
  readonly globals: PaxRecords;
  readonly position: number;
}

async function nextHeader(
  cursor: Cursor,
  start: number,
  known: PaxRecords,
  first: boolean,
): Promise<Next | undefined> {
  let globals = known;
  let locals: PaxRecords = [];
  let longName: ByteText | undefined;
  let longLink: ByteText | undefined;
  let position = start;
  let budget = EXTENDED_MAX;
  for (let count = 0; ; count++) {
    const block = await cursor.exactly(BLOCK);
    if (block === undefined) {
      if (count > 0 || first)
        throw badArchive(first && count === 0 ? "it is empty or truncated" : "it is truncated");
      return undefined;
    }
    position += BLOCK;
    if (isZero(block)) return undefined;
    if (count > HEADERS_MAX) throw badArchive("too many extended headers before one entry");
    const header = decodeHeader(block.slice(), position - BLOCK);
    if (!"xgLK".includes(header.type)) {
      const overrides = overridesOf(globals, locals);
      return await entryOf(cursor, header, { overrides, longName, longLink, globals, position });
    }
    if (!(header.size >= 0 && header.size <= budget))
      throw badArchive("an extended header is larger than 4 MiB");
    budget -= header.size;
    const data = await cursor.exactly(header.size);
    if (data === undefined || !(await cursor.skip(paddingOf(header.size))))
      throw badArchive("it is truncated");
    const kept = data.slice();
    position += header.size + paddingOf(header.size);
    if (header.type === "x") locals = parsePax(kept);
    else if (header.type === "g") globals = [...globals, ...parsePax(kept)].slice(-1000);
    else if (header.type === "L") longName = untilNul(kept);
    else longLink = untilNul(kept);
  }
}

interface Context {
  readonly overrides: Overrides;
  readonly longName: ByteText | undefined;
  readonly longLink: ByteText | undefined;
  readonly globals: PaxRecords;
  readonly position: number;
}

async function entryOf(cursor: Cursor, header: RawHeader, context: Context): Promise<Next> {
  const { overrides, position } = context;
  const { text } = overrides;
  const name = text.get("GNU.sparse.name") ?? text.get("path") ?? context.longName ?? header.name;
  const link = text.get("linkpath") ?? context.longLink ?? header.link;
  if (name.length > NAME_MAX || link.length > NAME_MAX) throw badEntry(name, "its name is too long");
  if (name.includes("\0") || link.includes("\0")) throw badEntry(name, "its name holds a NUL byte");
  const number = (key: string, plain: number): number => {
    const value = text.get(key);
    const result = value === undefined ? plain : decimal(value);
    if (!Number.isFinite(result)) throw badEntry(name, `its ${key} is not a number`);
    return result;
  };
  const type = typeOf(header, name);
  // Only files have data; sizes that other entries state (hard links of some writers) mean nothing.
  const stored = type === "file" ? number("size", header.size) : 0;
  if (!Number.isSafeInteger(stored) || stored < 0)
    throw badEntry(name, `its size (${stored}) makes no sense`);
  const owner = (key: "uid" | "gid"): number => {
    const id = number(key, header[key]);
    if (!Number.isInteger(id) || id < 0 || id > 0xfffffffe)
      throw badEntry(name, `its ${key} (${id}) makes no sense`);
    return id;
  };
  const base: EntryHeader = {
    type,
    name,
    link,
    mode: mask(header.mode, name),
    uid: owner("uid"),
    gid: owner("gid"),
    mtime: number("mtime", header.mtime),
    size: stored,
    major: number("SCHILY.devmajor", header.major),
    minor: number("SCHILY.devminor", header.minor),
    xattrs: overrides.xattrs,
  };
  const padding = paddingOf(stored);
  const sparse =
    header.type === "S"
      ? await oldGnuSparse(header, cursor)
      : type === "file"
        ? await paxSparse(overrides, cursor)
        : undefined;
  if (sparse === undefined)
    return { entry: base, stored, padding, sparse, globals: context.globals, position };
  const data = stored - sparse.consumed;
  checkSparse(sparse, data, name);
  const entry = { ...base, size: sparse.realSize };
  return {
    entry,
    stored: data,
    padding,
    sparse,
    globals: context.globals,
    position: position + sparse.consumed,
  };
}

function typeOf(header: RawHeader, name: string): EntryType {
  const type = TYPES[header.type];
  if (type === undefined) throw badEntry(name, `its type "${header.type}" is unknown`);
  // Before ustar a directory was a file whose name ends in a slash.
  return type === "file" && header.type === "0" && name.endsWith("/") ? "directory" : type;
}

function mask(mode: number, name: string): number {
  if (!Number.isInteger(mode)) throw badEntry(name, "its mode is not a number");
  return mode & 0o7777;
}

function checkSparse(sparse: SparseMap, stored: number, name: string): void {
  const total = sparse.extents.reduce((sum: number, extent: Extent) => sum + extent.length, 0);
  const last = sparse.extents.at(-1);
  const end = last === undefined ? 0 : last.offset + last.length;
  if (total !== stored || !Number.isSafeInteger(sparse.realSize) || end > sparse.realSize) {
    throw badEntry(name, "its sparse map does not fit its data");
  }
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function untilNul(bytes: Uint8Array): ByteText {
  const end = bytes.indexOf(0);
  return byteText(end === -1 ? bytes : bytes.subarray(0, end));
}
