import { posix } from "node:path";
import type { Digest } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import type { Bytes } from "../storage/driver.ts";
import type { Blobs, StagedBlob } from "./blobs.ts";
import { collect } from "./stream.ts";
import { readable } from "./tar/entry.ts";
import { badEntry } from "./tar/error.ts";
import { componentsOf } from "./tar/name.ts";
import { readTar } from "./tar/read.ts";

/** The files of an archive of images, on disk but under no name of the store. */
export interface Staged {
  has(path: string): boolean;
  digest(path: string): Digest;
  size(path: string): number;
  open(path: string): Bytes;
  document(path: string, max: number): Promise<Buffer>;
  discard(): void;
  /** Small files that describe the others, read already. */
  readonly index: Buffer | undefined;
  readonly manifest: Buffer | undefined;
}

/** More files than any archive of images has. */
const FILES_MAX = 100_000;
const DESCRIPTION_MAX = 16 * 1024 * 1024;

/** Takes an archive apart. Links in it (Docker before 25 wrote them for equal layers) stay inside of it. */
export async function stageArchive(blobs: Blobs, archive: Bytes): Promise<Staged> {
  const files = new Map<string, StagedBlob>();
  const links = new Map<string, string>();
  const discard = (): void => {
    for (const blob of files.values()) blob.discard();
  };
  const find = (path: string): StagedBlob => {
    let at = posix.normalize(path);
    for (let hops = 0; links.has(at) && hops < 8; hops++) at = links.get(at)!;
    const blob = files.get(at);
    if (blob === undefined) throw new Refusal("invalid", `Cannot load: the archive has no file ${path}`);
    return blob;
  };
  const description = async (path: string): Promise<Buffer | undefined> =>
    files.has(path) ? await collect(find(path).open(), DESCRIPTION_MAX, path) : undefined;
  try {
    for await (const entry of readTar(archive)) {
      const path = readable(componentsOf(entry.name).join("/"));
      if (files.size + links.size > FILES_MAX)
        throw new Refusal("invalid", "Cannot load: the archive has too many files");
      if (entry.type === "file") {
        files.get(path)?.discard();
        files.set(path, await blobs.stage(dataOf(entry.data())));
      } else if (entry.type === "symlink" || entry.type === "hardlink") {
        const from = entry.type === "symlink" ? posix.dirname(path) : ".";
        const target = posix.normalize(posix.join(from, readable(entry.link)));
        if (target.startsWith("..") || entry.link.startsWith("/")) {
          throw badEntry(entry.name, "it is a link that leads out of the archive");
        }
        links.set(path, target);
      } else if (entry.type !== "directory")
        throw badEntry(entry.name, "an archive of images holds no devices");
    }
    const index = await description("index.json");
    const manifest = await description("manifest.json");
    return {
      has: (path) => files.has(path) || links.has(path),
      digest: (path) => find(path).digest,
      size: (path) => find(path).size,
      open: (path) => find(path).open(),
      document: (path, max) => collect(find(path).open(), max, path),
      discard,
      index,
      manifest,
    };
  } catch (error) {
    discard();
    throw error;
  }
}

async function* dataOf(pieces: AsyncIterable<{ readonly bytes: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield piece.bytes;
}
