import * as fs from "node:fs";
import { posix } from "node:path";
import { workdir } from "../image/change.ts";
import { decompressed } from "../image/compression.ts";
import { peek } from "../image/stream.ts";
import { openRoot } from "../image/tar/beneath.ts";
import { type ByteText, readable, toByteText } from "../image/tar/entry.ts";
import { BLOCK, decodeHeader } from "../image/tar/header.ts";
import { componentsOf, linkComponents } from "../image/tar/name.ts";
import { packTree } from "../image/tar/pack.ts";
import { readTar } from "../image/tar/read.ts";
import { listTree } from "../image/tar/walk.ts";
import { encodeHeader, endOfArchive, padding } from "../image/tar/write.ts";
import { Refusal } from "../oci/error.ts";
import { globExpression } from "../oci/glob.ts";
import type { Bytes } from "../storage/driver.ts";
import type { RunPlan } from "../storage/kernel.ts";
import type { MergedView } from "../storage/merged.ts";
import { type Found, leadsTo } from "./context.ts";

/** What ADD or COPY is to put into a layer. */
export interface CopyRequest {
  /** ADD or COPY, for what is refused. */
  readonly instruction: string;
  readonly sources: readonly Named[];
  readonly destination: string;
  readonly workingDirectory: string;
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Permissions that replace those of the files. */
  readonly mode?: number;
  /** Unpack local archives (ADD). */
  readonly unpack: boolean;
  /** The image so far. */
  readonly view: MergedView;
  readonly runPlan: RunPlan;
}

/** What an instruction names. */
export interface Named {
  /** Directory with the build context's files, of ours alone. */
  readonly context: string;
  readonly path: string;
}

/** One source found in its context, relative to it; "" is the whole context. */
type Source = Named & Found;

/** The layer that ADD or COPY makes, as a tar. Everything is found before the first byte. */
export async function copyLayer(request: CopyRequest): Promise<Bytes> {
  const sources: Source[] = [];
  for (const { context, path } of request.sources) {
    if (/^(https?|git|ssh):\/\//i.test(path)) throw noAddress(request.instruction, path);
    sources.push(...(await findSources(context, path)));
  }
  if (sources.length === 0) throw new Refusal("invalid", "no source files were specified");
  const isDirectory =
    request.destination.endsWith("/") || request.destination.endsWith("/.") || request.destination === ".";
  if (sources.length > 1 && !isDirectory) {
    throw new Refusal(
      "invalid",
      `When using ${request.instruction} with more than one source file, the destination must be a directory and end with a /`,
    );
  }
  const target = request.view.resolve(
    toByteText(workdir(request.workingDirectory, request.destination).slice(1)),
  );
  const there = target === "" ? undefined : request.view.lookup(target)?.stat;
  const exists = target === "" || there?.isDirectory() === true;
  if (there !== undefined && !exists && (isDirectory || sources.some(({ stat }) => stat.isDirectory())))
    throw new Refusal("invalid", `failed to copy files: /${readable(target)}: not a directory`);
  return layer(request, sources, target as ByteText, isDirectory || exists);
}

const noAddress = (instruction: string, path: string): Refusal =>
  instruction === "COPY"
    ? new Refusal("invalid", "source can't be a URL for COPY")
    : new Refusal("unsupported", `Cannot add ${path}: only files of the build context can be added so far`);

async function* layer(
  request: CopyRequest,
  sources: readonly Source[],
  target: ByteText,
  intoDirectory: boolean,
): AsyncGenerator<Uint8Array> {
  for (const { path, file, stat } of sources) {
    if (stat.isDirectory()) {
      yield* packed(request, file, target === "" ? "" : `${target}/`);
    } else if (request.unpack && stat.isFile() && (await isArchive(file))) {
      yield* unpackedArchive(file, target === "" ? "" : `${target}/`);
    } else {
      const name = intoDirectory ? join(target, toByteText(posix.basename(path))) : target;
      yield* packed(request, posix.dirname(file), "", toByteText(posix.basename(file)), name);
    }
  }
  yield endOfArchive();
}

/** A directory's content, or one file of it under another name, with the owner and mode that were asked for. */
async function* packed(
  request: CopyRequest,
  directory: string,
  prefix: string,
  only?: ByteText,
  rename?: ByteText,
): AsyncGenerator<Uint8Array> {
  const { owner, mode, runPlan } = request;
  yield* packTree(directory, {
    runPlan,
    prefix,
    withoutEnd: true,
    // The directory itself is only made where it is missing; the root keeps its own looks.
    withoutRoot: prefix === "" || request.view.lookup(prefix.slice(0, -1)) !== undefined,
    change: (header) => ({
      ...header,
      ...owner,
      ...(mode === undefined || header.type === "symlink" ? {} : { mode }),
      ...(rename === undefined ? {} : { name: rename }),
    }),
    ...(only === undefined ? {} : { only }),
  });
}

/** A local archive's entries below the destination, owners and all. */
async function* unpackedArchive(file: string, prefix: string): AsyncGenerator<Uint8Array> {
  const { stream } = await decompressed(fs.createReadStream(file, { highWaterMark: 256 * 1024 }));
  for await (const entry of readTar(stream)) {
    const parts = componentsOf(entry.name);
    const name = (
      parts.length === 0 ? (prefix === "" ? "./" : prefix) : prefix + parts.join("/")
    ) as ByteText;
    const link = (
      entry.type === "hardlink" ? prefix + linkComponents(entry.name, entry.link).join("/") : entry.link
    ) as ByteText;
    yield encodeHeader({ ...entry, name, link });
    if (entry.type !== "file") continue;
    let at = 0;
    for await (const piece of entry.data()) {
      yield* zeros(piece.offset - at);
      yield piece.bytes;
      at = piece.offset + piece.bytes.length;
    }
    yield* zeros(entry.size - at);
    yield padding(entry.size);
  }
}

function* zeros(count: number): Generator<Uint8Array> {
  const block = new Uint8Array(Math.min(count, 256 * 1024));
  for (let left = count; left > 0; left -= block.length)
    yield block.subarray(0, Math.min(left, block.length));
}

async function isArchive(file: string): Promise<boolean> {
  try {
    const { stream } = await decompressed(fs.createReadStream(file));
    const { head, stream: rest } = await peek(stream, BLOCK);
    await rest[Symbol.asyncIterator]().return?.();
    if (head.length < BLOCK) return false;
    decodeHeader(head, 0);
    return true;
  } catch {
    return false;
  }
}

/** Files of the context that a source names; patterns are Go's. Nothing outside of the context can be named. */
async function findSources(context: string, source: string): Promise<Source[]> {
  const clean = posix.normalize(source).replace(/^\/+/, "").replace(/\/+$/, "");
  const path = clean === "." ? "" : clean;
  if (path === ".." || path.startsWith("../")) {
    throw new Refusal("invalid", `forbidden path outside the build context: ${source}`);
  }
  if (!/[*?[]/.test(path)) {
    const found = leadsTo(context, path);
    if (found === undefined) {
      throw new Refusal(
        "invalid",
        `file not found in build context or excluded by .dockerignore: stat ${source}: file does not exist`,
      );
    }
    return [{ context, path, ...found }];
  }
  const expression = globExpression(path);
  if (expression === undefined)
    throw new Refusal("invalid", `Cannot use the pattern ${source}: it is malformed`);
  const root = openRoot(context);
  try {
    const found: Source[] = [];
    for (const { parts, names } of await listTree(root)) {
      for (const name of names) {
        const inside = readable([...parts, name].join("/"));
        const at = expression.test(inside) ? leadsTo(context, inside) : undefined;
        if (at !== undefined) found.push({ context, path: inside, ...at });
      }
    }
    return found;
  } finally {
    fs.closeSync(root);
  }
}

function join(directory: string, name: string): ByteText {
  return (directory === "" ? name : `${directory}/${name}`) as ByteText;
}
