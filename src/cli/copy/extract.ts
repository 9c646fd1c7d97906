import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../failure.ts";
import { err } from "../output.ts";
import { type Entry, readable, readTar } from "./tar.ts";

/**
 * Unpacks an archive from a container, which is hostile, below a directory of this machine. Its first name
 * becomes `name`; with an empty one only what is in it is unpacked. No entry is written through a link that
 * the archive has made, and none outside the directory. Files become the caller's own, as `docker cp` has it.
 * @returns how many bytes were unpacked
 */
export async function extract(
  tar: AsyncIterable<Uint8Array>,
  directory: string,
  name: string,
  _followed: boolean,
): Promise<number> {
  let bytes = 0;
  const directories: { readonly path: string; readonly entry: Entry }[] = [];
  for await (const entry of readTar(tar)) {
    const path = renamed(readable(entry.name), name);
    if (path === undefined) continue;
    safeParents(directory, path);
    const full = join(directory, path);
    bytes += await put(full, entry, directory, name);
    if (entry.type === "directory") directories.push({ path: full, entry });
  }
  // Last, because unpacking into a directory changes its time, and its mode may forbid it.
  for (const { path, entry } of directories.reverse()) {
    chmodSync(path, entry.mode & 0o7777);
    utimesSync(path, entry.mtime, entry.mtime);
  }
  return bytes;
}

function renamed(text: string, name: string): string | undefined {
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes(".."))
    throw new Failure(`Cannot unpack "${text}": the archive of the container points outside`);
  // A copy of contents comes as "./…" or as "base/…", depending on the engine: "." is dropped above.
  const rest = text.startsWith("./") || text === "." ? parts : parts.slice(1);
  const all = name === "" ? rest : [name, ...rest];
  return all.length === 0 ? undefined : all.join("/");
}

/** Every directory on the way is one, not a link, so that nothing is written elsewhere. */
function safeParents(directory: string, path: string): void {
  const parts = path.split("/").slice(0, -1);
  let at = directory;
  for (const part of parts) {
    at = join(at, part);
    const info = lstatSync(at, { throwIfNoEntry: false });
    if (!info) mkdirSync(at);
    else if (!info.isDirectory())
      throw new Failure(
        `Cannot unpack "${path}": ${at} is not a directory${info.isSymbolicLink() ? " but a link" : ""}`,
      );
  }
}

async function put(path: string, entry: Entry, directory: string, name: string): Promise<number> {
  const info = lstatSync(path, { throwIfNoEntry: false });
  if (entry.type === "directory") {
    if (info && !info.isDirectory())
      throw new Failure(`Cannot unpack "${path}": a file is in the directory's place`);
    // Writable for us until everything is in it.
    if (!info) mkdirSync(path, 0o700);
    return 0;
  }
  if (info?.isDirectory()) throw new Failure(`Cannot unpack "${path}": a directory is in the file's place`);
  if (info) rmSync(path);
  switch (entry.type) {
    case "symlink":
      symlinkSync(readable(entry.link), path);
      lutimesSync(path, entry.mtime, entry.mtime);
      return 0;
    case "hardlink": {
      const target = renamed(readable(entry.link), name);
      if (target === undefined) throw new Failure(`Cannot unpack "${path}": it links to nothing`);
      safeParents(directory, target);
      linkSync(join(directory, target), path);
      return 0;
    }
    case "file":
      return file(path, entry);
    default:
      err(`cais: left out ${path}: only files, directories and links can be copied here\n`);
      return 0;
  }
}

async function file(path: string, entry: Entry): Promise<number> {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, "wx", 0o600);
  let bytes = 0;
  try {
    for await (const piece of entry.data()) {
      for (let at = 0; at < piece.bytes.length; )
        at += writeSync(fd, piece.bytes, at, piece.bytes.length - at, piece.offset + at);
      bytes += piece.bytes.length;
    }
  } finally {
    closeSync(fd);
  }
  chmodSync(path, entry.mode & 0o7777);
  utimesSync(path, entry.mtime, entry.mtime);
  return bytes;
}
