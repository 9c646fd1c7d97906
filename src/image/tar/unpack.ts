import * as fs from "node:fs";
import { dirname } from "node:path";
import { Refusal, reasonOf } from "../../oci/error.ts";
import type { Bytes } from "../../storage/driver.ts";
import {
  makeNode,
  makeOpaque,
  makeWhiteout,
  type RunPlan,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  setXattr,
} from "../../storage/kernel.ts";
import { type Batch, batchIn } from "./batch.ts";
import { breather } from "./breathe.ts";
import { type Attributes, type Directories, directoriesOf, lstat } from "./directories.ts";
import { fsPath } from "./entry.ts";
import { badEntry } from "./error.ts";
import { checkSymlink, componentsOf, linkComponents } from "./name.ts";
import { type Entry, readTar } from "./read.ts";
import { OPAQUE, type Whiteout, whiteoutOf } from "./whiteout.ts";

export interface UnpackOptions {
  readonly runPlan: RunPlan;
  /**
   * What whiteouts become: "overlay" marks that hide lower layers, "remove" takes away what a copy of them had,
   * "plain" knows no whiteouts (an archive that is copied into a container).
   */
  readonly whiteouts: "overlay" | "remove" | "plain";
  /** Mode and owner of directories that the archive only implies, from the layers below. */
  readonly inherit?: (path: string) => Attributes | undefined;
}

/** What unpacking keeps in mind between entries. */
interface Layer {
  readonly root: string;
  readonly options: UnpackOptions;
  readonly directories: Directories;
  readonly batch: Batch;
  /** Times of directories, set when nothing is written into them any more. */
  readonly times: Map<string, number>;
  /** Paths this archive made; kept only where whiteouts remove. */
  readonly made: Set<string>;
}

/**
 * Unpacks a layer's tar into `root`, a directory that nobody else writes to. Resolves to the bytes of its files.
 * Throws at the first entry that is refused; the caller removes `root`.
 */
export async function unpack(tar: Bytes, root: string, options: UnpackOptions): Promise<number> {
  const directories = directoriesOf(root, options.inherit);
  const layer: Layer = {
    root,
    options,
    directories,
    batch: batchIn(root, options.runPlan),
    times: new Map(),
    made: new Set(),
  };
  const breathe = breather();
  let size = 0;
  for await (const entry of readTar(tar)) {
    try {
      size += await place(entry, layer);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal("failed", badEntry(entry.name, reasonOf(error)).message, { cause: error });
    }
    if (layer.batch.full()) await layer.batch.flush();
    await breathe();
  }
  await layer.batch.flush();
  for (const [path, time] of [...layer.times].reverse()) fs.lutimesSync(fsPath(path), time, time);
  return size;
}

async function place(entry: Entry, layer: Layer): Promise<number> {
  const parts = componentsOf(entry.name);
  const base = parts.pop();
  if (base === undefined) {
    if (entry.type !== "directory") throw badEntry(entry.name, "the root of a layer must be a directory");
    attributes(layer.root, entry, layer);
    return 0;
  }
  const hide = layer.options.whiteouts === "plain" ? undefined : whiteoutOf(entry.name, parts, base);
  const parent = layer.directories.ensure(parts, entry.name);
  if (hide !== undefined) {
    await placeWhiteout(hide, parent, layer);
    return 0;
  }
  const path = `${parent}/${base}`;
  const opaque = await makeRoom(path, entry, layer);
  if (layer.options.whiteouts === "remove") {
    for (let made = path; !layer.made.has(made) && made !== layer.root; made = dirname(made))
      layer.made.add(made);
  }
  switch (entry.type) {
    case "directory":
      if (lstat(path) === undefined) fs.mkdirSync(fsPath(path));
      attributes(path, entry, layer);
      if (opaque) layer.batch.add(path, [makeOpaque(relative(path, layer))]);
      return 0;
    case "file":
      return await placeFile(path, entry, layer);
    case "symlink":
      checkSymlink(entry.name, entry.link, parts.length);
      fs.symlinkSync(fsPath(entry.link), fsPath(path));
      fs.lchownSync(fsPath(path), entry.uid, entry.gid);
      fs.lutimesSync(fsPath(path), entry.mtime, entry.mtime);
      xattrs(path, entry, layer);
      return 0;
    case "hardlink":
      await placeLink(path, entry, layer);
      return 0;
    default:
      placeNode(path, entry, layer);
      return 0;
  }
}

/** Removes what is in the way of an entry; true when the directory to come must hide its lower one. */
async function makeRoom(path: string, entry: Entry, layer: Layer): Promise<boolean> {
  if (layer.batch.pending(path)) await layer.batch.flush();
  const there = lstat(path);
  if (there === undefined) return false;
  if (there.isDirectory()) {
    if (entry.type === "directory") return false;
    await layer.batch.flush();
    fs.rmSync(fsPath(path), { recursive: true });
    for (const known of layer.times.keys()) {
      if (known === path || known.startsWith(`${path}/`)) layer.times.delete(known);
    }
    layer.directories.forget();
    return false;
  }
  fs.unlinkSync(fsPath(path));
  if (there.isSymbolicLink()) layer.directories.forget();
  return there.isCharacterDevice() && there.rdev === 0 && entry.type === "directory";
}

async function placeFile(path: string, entry: Entry, layer: Layer): Promise<number> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
  const file = fs.openSync(fsPath(path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    if (entry.size > 0) {
      let end = 0;
      for await (const piece of entry.data()) {
        let written = 0;
        while (written < piece.bytes.length) {
          const at = piece.offset + written;
          written += fs.writeSync(file, piece.bytes, written, piece.bytes.length - written, at);
        }
        end = piece.offset + piece.bytes.length;
      }
      if (end < entry.size) fs.ftruncateSync(file, entry.size);
    }
    fs.fchownSync(file, entry.uid, entry.gid);
    fs.fchmodSync(file, entry.mode);
    fs.futimesSync(file, entry.mtime, entry.mtime);
  } finally {
    fs.closeSync(file);
  }
  xattrs(path, entry, layer);
  return entry.size;
}

async function placeLink(path: string, entry: Entry, layer: Layer): Promise<void> {
  const parts = linkComponents(entry.name, entry.link);
  const base = parts.pop();
  const parent = base === undefined ? undefined : layer.directories.find(parts, entry.name);
  const target = `${parent}/${base}`;
  if (layer.batch.pending(target)) await layer.batch.flush();
  const there = parent === undefined ? undefined : lstat(target);
  if (there === undefined)
    throw badEntry(entry.name, "it is a hard link to something the archive has not had yet");
  if (there.isDirectory()) throw badEntry(entry.name, "it is a hard link to a directory");
  if (isWhiteout(there)) throw badEntry(entry.name, "it is a hard link to a removed file");
  fs.linkSync(fsPath(target), fsPath(path));
}

function placeNode(path: string, entry: Entry, layer: Layer): void {
  const { type, major, minor, uid, gid, mtime } = entry;
  const device = type !== "fifo";
  if (type === "char" && major === 0 && minor === 0) {
    throw badEntry(entry.name, "a character device 0:0 would hide files of other layers");
  }
  if (device && !(major >= 0 && major < 4096 && minor >= 0 && minor < 1 << 20)) {
    throw badEntry(entry.name, `there can be no device ${major}:${minor}`);
  }
  const kind = type === "char" ? S_IFCHR : type === "block" ? S_IFBLK : S_IFIFO;
  const mode = kind | entry.mode;
  const numbers = device ? { major, minor } : { major: 0, minor: 0 };
  layer.batch.add(path, makeNode({ path: relative(path, layer), mode, ...numbers, uid, gid, mtime }));
  xattrs(path, entry, layer);
}

async function placeWhiteout(hide: Whiteout, parent: string, layer: Layer): Promise<void> {
  const remove = layer.options.whiteouts === "remove";
  if (hide === "metadata") return;
  if (hide === OPAQUE) {
    if (!remove) layer.batch.add(parent, [makeOpaque(relative(parent, layer))]);
    else removeOlder(parent, layer);
    return;
  }
  const path = `${parent}/${hide}`;
  if (layer.batch.pending(path)) await layer.batch.flush();
  const there = lstat(path);
  if (remove) {
    if (there !== undefined && !layer.made.has(path)) fs.rmSync(fsPath(path), { recursive: true });
    else if (there?.isDirectory() === true) removeOlder(path, layer);
    layer.directories.forget();
  } else if (there === undefined) layer.batch.add(path, [makeWhiteout(relative(path, layer))]);
  else if (there.isDirectory()) layer.batch.add(path, [makeOpaque(relative(path, layer))]);
}

/** Removes from a copied directory what this archive has not made itself. */
function removeOlder(directory: string, layer: Layer): void {
  for (const name of fs.readdirSync(fsPath(directory), { encoding: "buffer" })) {
    const path = `${directory}/${name.toString("latin1")}`;
    if (!layer.made.has(path)) fs.rmSync(fsPath(path), { recursive: true, force: true });
    else if (lstat(path)?.isDirectory() === true) removeOlder(path, layer);
  }
  layer.directories.forget();
}

function attributes(path: string, entry: Entry, layer: Layer): void {
  fs.chownSync(fsPath(path), entry.uid, entry.gid);
  fs.chmodSync(fsPath(path), entry.mode);
  layer.times.set(path, entry.mtime);
  xattrs(path, entry, layer);
}

function xattrs(path: string, entry: Entry, layer: Layer): void {
  for (const [key, value] of entry.xattrs) {
    if (/^(trusted|user)\.overlay\./.test(key)) {
      throw badEntry(entry.name, `its attribute ${key} belongs to the storage of layers`);
    }
    layer.batch.add(path, [setXattr(relative(path, layer), key, value)]);
  }
}

function relative(path: string, layer: Layer): string {
  return path === layer.root ? "." : path.slice(layer.root.length + 1);
}

function isWhiteout(stat: fs.Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}
