import { lstatSync, readdirSync, readlinkSync, type Stats, statSync } from "node:fs";
import { open } from "node:fs/promises";
import {
  type ByteText,
  byteText,
  encodeHeader,
  endOfArchive,
  fsPath,
  joined,
  PLAIN,
  padding,
  readable,
  toByteText,
} from "./tar.ts";

export interface PackOptions {
  /** Name of the packed thing inside the archive; empty packs what is in the directory, not itself. */
  readonly name: string;
  /** Follow the first path if it is a link. */
  readonly followLink?: boolean;
  /** All files as root's: an image build must not depend on who builds it. */
  readonly asRoot?: boolean;
  /** Whether to leave a path out; `prune` says that nothing below it can be wanted either. */
  readonly exclude?: (path: string, directory: boolean) => "keep" | "skip" | "prune";
}

/**
 * A file or a tree as a tar archive, file by file, never whole in memory. Sockets are left out, as Docker does.
 * Names below `path` are bytes, which need not be UTF-8.
 */
export async function* pack(path: string, options: PackOptions): AsyncGenerator<Uint8Array> {
  const info = options.followLink ? statSync(path) : lstatSync(path);
  yield* entry(toByteText(path), toByteText(""), info, options, new Map());
  yield endOfArchive();
}

type Links = Map<string, ByteText>;

async function* entry(
  path: ByteText,
  below: ByteText,
  info: Stats,
  options: PackOptions,
  links: Links,
): AsyncGenerator<Uint8Array> {
  const verdict = below === "" ? "keep" : (options.exclude?.(readable(below), info.isDirectory()) ?? "keep");
  if (verdict === "prune") return;
  const name = joined(toByteText(options.name), below).replace(/^\.$/, "") as ByteText;
  if (verdict === "keep" && name !== "") yield* one(path, name, info, options, links);
  if (!info.isDirectory()) return;
  for (const child of readdirSync(fsPath(path), { encoding: "buffer" }).map(byteText).sort()) {
    const inner = joined(path, child);
    yield* entry(inner, joined(below, child), lstatSync(fsPath(inner)), options, links);
  }
}

async function* one(
  path: ByteText,
  name: ByteText,
  info: Stats,
  options: PackOptions,
  links: Links,
): AsyncGenerator<Uint8Array> {
  if (info.isSocket()) return;
  const identity = `${info.dev}:${info.ino}`;
  const first = info.nlink > 1 && info.isFile() ? links.get(identity) : undefined;
  if (info.isFile() && info.nlink > 1 && first === undefined) links.set(identity, name);
  const size = info.isFile() && first === undefined ? info.size : 0;
  yield encodeHeader({
    ...PLAIN,
    ...typeOf(path, info, first),
    name,
    mode: info.mode & 0o7777,
    uid: options.asRoot ? 0 : info.uid,
    gid: options.asRoot ? 0 : info.gid,
    mtime: info.mtimeMs / 1000,
    size,
  });
  if (size > 0) yield* contents(path, size);
}

function typeOf(path: ByteText, info: Stats, first: ByteText | undefined) {
  if (first !== undefined) return { type: "hardlink", link: first } as const;
  if (info.isSymbolicLink())
    return {
      type: "symlink",
      link: byteText(readlinkSync(fsPath(path), { encoding: "buffer" })),
    } as const;
  if (info.isDirectory()) return { type: "directory" } as const;
  if (info.isFIFO()) return { type: "fifo" } as const;
  if (info.isFile()) return { type: "file" } as const;
  // makedev(3): twelve bits of the major number, and the minor's twenty around them.
  const major = ((info.rdev >>> 8) & 0xfff) >>> 0;
  const minor = ((info.rdev & 0xff) | ((info.rdev >>> 12) & 0xfff00)) >>> 0;
  return { type: info.isBlockDevice() ? "block" : "char", major, minor } as const;
}

/** Exactly `size` bytes, as the header has promised: what grew is cut, what shrank is filled with zeros. */
async function* contents(path: ByteText, size: number): AsyncGenerator<Uint8Array> {
  await using file = await open(fsPath(path), "r");
  let left = size;
  while (left > 0) {
    const buffer = Buffer.allocUnsafe(Math.min(left, 256 * 1024));
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    if (bytesRead === 0) break;
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
  for (; left > 0; left -= Math.min(left, 65536)) yield new Uint8Array(Math.min(left, 65536));
  yield padding(size);
}

/** A generator as the body of a request: asked for more only when the socket takes more. */
export function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done) controller.close();
      else if (next.value.length > 0) controller.enqueue(next.value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}
