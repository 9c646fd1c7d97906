import * as fs from "node:fs";
import { dirname } from "node:path";
import { S } from "../../kernel/flags.ts";
import { Refusal, reasonOf } from "../../oci/error.ts";
import type { Bytes } from "../../storage/driver.ts";
import { makeNode, makeOpaque, makeWhiteout, type RunPlan, setXattr } from "../../storage/kernel.ts";
import { type Batch, batchIn } from "./batch.ts";
import { breather } from "./breathe.ts";
import {
  type Attributes,
  type Directories,
  directoriesOf,
  lstat,
  setDirectory,
  withDirectory,
} from "./directories.ts";
import { type ByteText, fsPath, toByteText } from "./entry.ts";
import { badEntry } from "./error.ts";
import { isGone } from "./gone.ts";
import { checkSymlink, componentsOf, linkComponents } from "./name.ts";
import { type Entry, readTar } from "./read.ts";
import { OPAQUE, type Whiteout, whiteoutOf } from "./whiteout.ts";

export interface UnpackOptions {
  readonly runPlan: RunPlan;
  /**
   * What whiteouts become: "overlay" marks that hide lower layers, "remove" takes away what a copy of them had,
   * "plain" knows no whiteouts (an archive that is copied into a container, a build's context), and takes absolute
   * names.
   */
  readonly whiteouts: "overlay" | "remove" | "plain";
  /** Mode and owner of directories that the archive only implies, from the layers below. */
  readonly inherit?: (path: string) => Attributes | undefined;
  /** Everything gets this owner instead of its own. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Refuse to replace a directory by something else or the other way round; the path that errors name. */
  readonly keepKinds?: string;
  /** A directory that others may be writing to: how to go beneath it without being led astray. */
  readonly live?: Directories;
}

/** What an archive had in it. */
export interface Unpacked {
  /** Bytes of its files. */
  readonly size: number;
  /** Directories that hide what lower layers have in them. */
  readonly opaque: readonly string[];
}

/** What unpacking keeps in mind between entries. */
interface Layer {
  readonly root: string;
  readonly options: UnpackOptions;
  readonly directories: Directories;
  readonly batch: Batch;
  /** Times of directories, set when nothing is written into them any more. */
  readonly times: Map<string, { readonly parts: readonly ByteText[]; readonly time: number }>;
  /** Paths this archive made; kept only where whiteouts remove. */
  readonly made: Set<string>;
  readonly opaque: Set<string>;
}

/**
 * Unpacks a layer's tar into a directory that nobody else writes to. Throws at the first entry that is refused; the caller removes the directory.
 */
export async function unpack(tar: Bytes, directory: string, options: UnpackOptions): Promise<Unpacked> {
  const directories = options.live ?? directoriesOf(toByteText(directory), options.inherit);
  const layer: Layer = {
    root: toByteText(directory),
    options,
    directories,
    // What is opened for one entry of a live tree may be closed at the next.
    batch: batchIn(options.live === undefined ? toByteText(directory) : "/", options.runPlan),
    times: new Map(),
    made: new Set(),
    opaque: new Set(),
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
    if (layer.batch.full() || options.live !== undefined) await layer.batch.flush();
    await breathe();
  }
  await layer.batch.flush();
  for (const { parts, time } of [...layer.times.values()].reverse()) setDirectoryTime(parts, time, layer);
  return { size, opaque: [...layer.opaque] };
}

async function place(archived: Entry, layer: Layer): Promise<number> {
  const entry = layer.options.owner === undefined ? archived : { ...archived, ...layer.options.owner };
  const parts = componentsOf(entry.name, layer.options.whiteouts === "plain");
  const whole = [...parts];
  const base = parts.pop();
  if (base === undefined) {
    if (entry.type !== "directory") throw badEntry(entry.name, "the root of a layer must be a directory");
    attributes(layer.directories.ensure([], entry.name), whole, entry, layer);
    return 0;
  }
  const hide = layer.options.whiteouts === "plain" ? undefined : whiteoutOf(entry.name, parts, base);
  if (layer.batch.pendingAbove([layer.root, ...parts].join("/"))) await layer.batch.flush();
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
      attributes(path, whole, entry, layer);
      if (opaque) hideBelow(path, layer);
      return 0;
    case "file":
      return await placeFile(path, entry, layer);
    case "symlink":
      if (layer.options.whiteouts !== "plain") checkSymlink(entry.name, entry.link, parts.length);
      fs.symlinkSync(fsPath(entry.link), fsPath(path));
      fs.lchownSync(fsPath(path), entry.uid, entry.gid);
      fs.lutimesSync(fsPath(path), when(entry.mtime), when(entry.mtime));
      xattrs(path, entry, layer);
      // As `stat` counts it, and with it Docker.
      return entry.link.length;
    case "hardlink":
      await placeLink(path, entry, layer);
      return 0;
    default:
      placeNode(path, entry, layer);
      return 0;
  }
}

/** Node takes a negative number of seconds for "now", but a date before 1970 for what it is. */
function when(seconds: number): number | Date {
  return seconds < 0 ? new Date(seconds * 1000) : seconds;
}

/** Removes what is in the way of an entry; true when the directory to come must hide its lower one. */
async function makeRoom(path: string, entry: Entry, layer: Layer): Promise<boolean> {
  if (layer.batch.pending(path)) await layer.batch.flush();
  const there = lstat(path);
  if (there === undefined) return false;
  const { keepKinds } = layer.options;
  if (keepKinds !== undefined && there.isDirectory() !== (entry.type === "directory")) {
    const [old, next] = there.isDirectory() ? ["directory", "non-directory"] : ["non-directory", "directory"];
    const name = JSON.stringify(entry.name.replace(/\/$/, ""));
    throw new Refusal("failed", `cannot overwrite ${old} ${name} with ${next} ${JSON.stringify(keepKinds)}`);
  }
  if (there.isDirectory()) {
    if (entry.type === "directory") return false;
    if (layer.options.live !== undefined) {
      throw badEntry(entry.name, "it would replace a directory by something else");
    }
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
    fs.futimesSync(file, when(entry.mtime), when(entry.mtime));
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
  const kind = type === "char" ? S.IFCHR : type === "block" ? S.IFBLK : S.IFIFO;
  const mode = kind | entry.mode;
  const numbers = device ? { major, minor } : { major: 0, minor: 0 };
  const node = { path: relative(path, layer), mode, ...numbers, uid, gid, mtime };
  layer.batch.make(path, makeNode(node, layer.options.live === undefined));
  xattrs(path, entry, layer);
}

async function placeWhiteout(hide: Whiteout, parent: string, layer: Layer): Promise<void> {
  const remove = layer.options.whiteouts === "remove";
  if (hide === "metadata") return;
  if (hide === OPAQUE) {
    if (!remove) hideBelow(parent, layer);
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
  } else if (there === undefined) layer.batch.make(path, [makeWhiteout(relative(path, layer))]);
  else if (there.isDirectory()) hideBelow(path, layer);
}

function hideBelow(directory: string, layer: Layer): void {
  const path = relative(directory, layer);
  layer.batch.add(directory, [makeOpaque(path)]);
  layer.opaque.add(path);
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

function attributes(path: string, parts: readonly ByteText[], entry: Entry, layer: Layer): void {
  setDirectory(path, entry);
  layer.times.set(path, { parts, time: entry.mtime });
  xattrs(path, entry, layer);
}

function setDirectoryTime(parts: readonly ByteText[], time: number, layer: Layer): void {
  try {
    const path = layer.directories.find(parts, parts.join("/") as ByteText);
    if (path !== undefined)
      withDirectory(path, (directory) => fs.futimesSync(directory, when(time), when(time)));
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function xattrs(path: string, entry: Entry, layer: Layer): void {
  for (const [key, value] of entry.xattrs) {
    if (/^(trusted|user)\.overlay\./.test(key)) {
      throw badEntry(entry.name, `its attribute ${key} belongs to the storage of layers`);
    }
    layer.batch.add(path, [setXattr(relative(path, layer), key, value)]);
  }
}

/** How a plan names a path: beneath the directory it works in, or through this process's descriptors. */
function relative(path: string, layer: Layer): string {
  if (layer.options.live !== undefined) return path.replace("/proc/self/", `proc/${process.pid}/`);
  return path === layer.root ? "." : path.slice(layer.root.length + 1);
}

function isWhiteout(stat: fs.Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}
