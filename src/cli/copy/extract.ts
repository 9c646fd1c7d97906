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
import { Failure } from "../failure.ts";
import { err } from "../output.ts";
import { type ByteText, type Entry, fsPath, joined, readable, readTar, toByteText } from "./tar.ts";

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
): Promise<number> {
  const into: Target = { directory: toByteText(directory), name: toByteText(name) };
  let bytes = 0;
  const directories: { readonly path: ByteText; readonly entry: Entry }[] = [];
  for await (const entry of readTar(tar)) {
    const path = renamed(entry.name, into.name);
    if (path === undefined) continue;
    safeParents(into.directory, path);
    const full = joined(into.directory, path);
    bytes += await put(full, entry, into);
    if (entry.type === "directory") directories.push({ path: full, entry });
  }
  // Last, because unpacking into a directory changes its time, and its mode may forbid it.
  for (const { path, entry } of directories.reverse()) {
    chmodSync(fsPath(path), entry.mode & 0o7777);
    utimesSync(fsPath(path), entry.mtime, entry.mtime);
  }
  return bytes;
}

/** Names are bytes: those of an archive need not be UTF-8, and none is to become another's. */
interface Target {
  readonly directory: ByteText;
  readonly name: ByteText;
}

function renamed(text: ByteText, name: ByteText): ByteText | undefined {
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes(".."))
    throw new Failure(`Cannot unpack "${readable(text)}": the archive of the container points outside`);
  // A copy of contents comes as "./…" or as "base/…", depending on the engine: "." is dropped above. The root's own
  // name is empty.
  const rest = /^(?:\.?\/|\.$)/.test(text) ? parts : parts.slice(1);
  const all = name === "" ? rest : [name, ...rest];
  return all.length === 0 ? undefined : (all.join("/") as ByteText);
}

/** Every directory on the way is one, not a link, so that nothing is written elsewhere. */
function safeParents(directory: ByteText, path: ByteText): void {
  const parts = path.split("/").slice(0, -1) as ByteText[];
  let at = directory;
  for (const part of parts) {
    at = joined(at, part);
    const info = lstatSync(fsPath(at), { throwIfNoEntry: false });
    if (!info) mkdirSync(fsPath(at));
    else if (!info.isDirectory())
      throw new Failure(
        `Cannot unpack "${readable(path)}": ${readable(at)} is not a directory${info.isSymbolicLink() ? " but a link" : ""}`,
      );
  }
}

async function put(text: ByteText, entry: Entry, { directory, name }: Target): Promise<number> {
  const path = fsPath(text);
  const info = lstatSync(path, { throwIfNoEntry: false });
  const refusal = (why: string) => new Failure(`Cannot unpack "${readable(text)}": ${why}`);
  if (entry.type === "directory") {
    if (info && !info.isDirectory()) throw refusal("a file is in the directory's place");
    // Writable for us until everything is in it.
    if (!info) mkdirSync(path, 0o700);
    return 0;
  }
  if (info?.isDirectory()) throw refusal("a directory is in the file's place");
  if (info) rmSync(path);
  switch (entry.type) {
    case "symlink":
      symlinkSync(fsPath(entry.link), path);
      lutimesSync(path, entry.mtime, entry.mtime);
      return 0;
    case "hardlink": {
      const target = renamed(entry.link, name);
      if (target === undefined) throw refusal("it links to nothing");
      safeParents(directory, target);
      linkSync(fsPath(joined(directory, target)), path);
      return 0;
    }
    case "file":
      return file(path, entry);
    default:
      err(`cais: left out ${readable(text)}: only files, directories and links can be copied here\n`);
      return 0;
  }
}

async function file(path: string | Buffer, entry: Entry): Promise<number> {
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
