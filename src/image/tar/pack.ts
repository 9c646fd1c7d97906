import * as fs from "node:fs";
import type { RunPlan } from "../../storage/kernel.ts";
import { directoryStack, openRoot, through } from "./beneath.ts";
import { type ByteText, byteText, type EntryHeader, type EntryType } from "./entry.ts";
import { isGone } from "./gone.ts";
import { listTree, statIn } from "./walk.ts";
import { encodeHeader, endOfArchive, PLAIN, padding } from "./write.ts";
import { readXattrs, type TreeXattrs } from "./xattrs.ts";

export interface PackOptions {
  readonly runPlan: RunPlan;
  /** Prefix of every name in the archive: "" or "name/". */
  readonly prefix?: string;
  /** What an entry becomes: itself, an entry without its content, or nothing. Directories left out stay closed. */
  readonly choose?: (path: ByteText, stat: fs.Stats) => "keep" | "empty" | "omit";
  /** Extended attributes that belong into the archive; all but the storage's own unless given. */
  readonly wanted?: (key: string) => boolean;
  /** More entries for a directory (whiteouts), from its attributes. */
  readonly extra?: (path: ByteText, xattrs: ReadonlyMap<string, Uint8Array>) => readonly ByteText[];
  /** Another entry in the place of one (a whiteout for its marker): its name in the archive. */
  readonly replace?: (path: ByteText, stat: fs.Stats) => ByteText | undefined;
  /** Leaves the root's own entry out. */
  readonly withoutRoot?: boolean;
  /** Leaves the zero blocks at the end out: another archive follows. */
  readonly withoutEnd?: boolean;
  /** What becomes of an entry's header. */
  readonly change?: (header: EntryHeader) => EntryHeader;
  /** Only this name of the root, and what is below it. */
  readonly only?: ByteText;
}

const CHUNK = 256 * 1024;
const STORAGE_XATTR = /^(trusted|user)\.overlay\./;
const NONE: ReadonlyMap<string, Uint8Array> = new Map();

/**
 * The tree below a directory as an uncompressed tar: hard links, devices, FIFOs, owners, times and attributes
 * kept, sockets left out. Nothing in the tree is followed: a process that changes it meanwhile can make files go
 * missing from the archive, not put others in. `root` is a path of the caller's own.
 */
export async function* packTree(root: string, options: PackOptions): AsyncGenerator<Uint8Array, void, void> {
  const rootFd = openRoot(root);
  const stack = directoryStack(rootFd);
  const { choose, prefix = "" } = options;
  try {
    const enter = (path: string, stat: fs.Stats): boolean =>
      choose === undefined || choose(path as ByteText, stat) === "keep";
    const listings = await listTree(rootFd, enter, options.only);
    const wanted = options.wanted ?? ((key: string) => !STORAGE_XATTR.test(key));
    const xattrs = await readXattrs(rootFd, listings, options.runPlan, wanted);
    const seen = new Map<string, ByteText>();
    if (options.withoutRoot !== true) {
      const name = (prefix === "" ? "./" : prefix) as ByteText;
      yield encodeHeader(
        (options.change ?? same)(headerOf("" as ByteText, fs.fstatSync(rootFd), xattrs, name)),
      );
    }
    for (const { parts, names } of listings) {
      const directory = parts.join("/") as ByteText;
      for (const extra of options.extra?.(directory, xattrs.get(directory) ?? NONE) ?? []) {
        yield encodeHeader({ ...PLAIN, mode: 0, name: (prefix + extra) as ByteText });
      }
      for (const name of names) {
        const path = [...parts, name].join("/") as ByteText;
        yield* packEntry(path, () => stack.at(parts), name, { options, xattrs, seen, prefix });
      }
    }
    if (options.withoutEnd !== true) yield endOfArchive();
  } finally {
    stack.close();
    fs.closeSync(rootFd);
  }
}

interface Packing {
  readonly options: PackOptions;
  readonly xattrs: TreeXattrs;
  /** First name of each file with several, by device and inode. */
  readonly seen: Map<string, ByteText>;
  readonly prefix: string;
}

async function* packEntry(
  path: ByteText,
  open: () => number,
  name: ByteText,
  { options, xattrs, seen, prefix }: Packing,
): AsyncGenerator<Uint8Array, void, void> {
  let file: number | undefined;
  try {
    const directory = open();
    const stat = statIn(directory, name);
    if (stat === undefined || stat.isSocket()) return;
    const choice = options.choose?.(path, stat) ?? "keep";
    if (choice === "omit") return;
    const replaced = options.replace?.(path, stat);
    if (replaced !== undefined) {
      yield encodeHeader({ ...PLAIN, mode: 0, name: (prefix + replaced) as ByteText });
      return;
    }
    const entryName = (prefix + path) as ByteText;
    const header = (options.change ?? same)(headerOf(path, stat, xattrs, entryName));
    if (stat.isSymbolicLink()) {
      const link = byteText(fs.readlinkSync(through(directory, name), { encoding: "buffer" }));
      yield encodeHeader({ ...header, link });
      return;
    }
    const inode = `${stat.dev}:${stat.ino}`;
    const first = stat.nlink > 1 && !stat.isDirectory() ? seen.get(inode) : undefined;
    if (first !== undefined) {
      yield encodeHeader({ ...header, type: "hardlink", link: first, size: 0, xattrs: NONE });
      return;
    }
    if (!stat.isFile() || choice === "empty") {
      if (!stat.isDirectory()) seen.set(inode, entryName);
      yield encodeHeader({ ...header, size: 0 });
      return;
    }
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    file = fs.openSync(through(directory, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const opened = fs.fstatSync(file);
    // Replaced since it was looked at: what is there now is no longer what was decided about.
    if (!opened.isFile() || opened.ino !== stat.ino) return;
    if (stat.nlink > 1) seen.set(inode, entryName);
    yield encodeHeader({ ...header, size: opened.size });
    yield* content(file, opened.size);
  } catch (error) {
    if (!isGone(error)) throw error;
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}

function same(header: EntryHeader): EntryHeader {
  return header;
}

/** Exactly `size` bytes: the header has promised them, whatever happens to the file meanwhile. */
async function* content(file: number, size: number): AsyncGenerator<Uint8Array, void, void> {
  for (let left = size; left > 0; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, left));
    const count = fs.readSync(file, chunk, 0, chunk.length, size - left);
    if (count === 0) chunk.fill(0);
    yield count === 0 ? chunk : chunk.subarray(0, count);
    left -= count === 0 ? chunk.length : count;
  }
  const rest = padding(size);
  if (rest.length > 0) yield rest;
}

function headerOf(path: ByteText, stat: fs.Stats, xattrs: TreeXattrs, name: ByteText): EntryHeader {
  return {
    type: typeOf(stat),
    name,
    link: "" as ByteText,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    mtime: Math.round(stat.mtimeMs * 1000) / 1e6,
    size: stat.isFile() ? stat.size : 0,
    ...deviceOf(stat.rdev),
    xattrs: withoutStorage(xattrs.get(path)),
  };
}

/** The storage's own marks are for `extra` and `replace` to translate; they never get into an archive. */
function withoutStorage(xattrs: ReadonlyMap<string, Uint8Array> = NONE): ReadonlyMap<string, Uint8Array> {
  const own = [...xattrs.keys()].some((key) => STORAGE_XATTR.test(key));
  return own ? new Map([...xattrs].filter(([key]) => !STORAGE_XATTR.test(key))) : xattrs;
}

function typeOf(stat: fs.Stats): EntryType {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isCharacterDevice()) return "char";
  return stat.isBlockDevice() ? "block" : "fifo";
}

/** glibc's encoding of a device number (sys/sysmacros.h), of which Linux uses the low 32 bits. */
function deviceOf(rdev: number): { readonly major: number; readonly minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}
