import * as fs from "node:fs";
import { join } from "node:path";
import { type ChainId, type DiffId, type Digest, digestOf, hexOf, isDigest } from "../oci/digest.ts";
import { CONFIG_MAX, type ImageConfig, parseImageConfig } from "../oci/image.ts";
import { check, type Json } from "../oci/json.ts";
import { readDocument, removeDocument, TEMPORARY, writeDocument } from "../storage/document.ts";
import type { Blobs } from "./blobs.ts";

/** One layer of an image. */
export interface LayerRef {
  readonly diffId: DiffId;
  readonly chainId: ChainId;
  /** Its archive; absent for the built-in image, whose files nobody packed. */
  readonly blob?: LayerBlob;
}

/** A layer's archive as it is stored. */
export interface LayerBlob {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes as stored. */
  readonly size: number;
  /** Bytes uncompressed. */
  readonly tarSize: number;
}

/** What is known of an image beside its configuration. */
export interface ImageRecord {
  readonly id: Digest;
  readonly layers: readonly LayerRef[];
  /** Image it was built or committed on. */
  readonly parent?: Digest;
  readonly builtIn?: boolean;
  /** RFC 3339; when a name was last given to it. */
  readonly tagged?: string;
}

/** An image in memory: the stored record and its configuration. */
export interface KnownImage extends ImageRecord {
  readonly config: ImageConfig;
}

/** Images by id and names by canonical reference, one document each. */
export interface ImageStore {
  readonly images: ReadonlyMap<Digest, KnownImage>;
  /** Canonical reference → image id. */
  readonly names: ReadonlyMap<string, Digest>;
  readonly damaged: string[];
  put(record: ImageRecord, config: ImageConfig): void;
  delete(id: Digest): void;
  name(reference: string, id: Digest): void;
  unname(reference: string): void;
}

/** Reads all documents below `root`; those that are damaged are left alone and listed. */
export function openStore(root: string, blobs: Blobs): ImageStore {
  const imageDir = join(root, "images");
  const nameDir = join(root, "references");
  const images = new Map<Digest, KnownImage>();
  const names = new Map<string, Digest>();
  const damaged: string[] = [];
  const imagePath = (id: Digest): string => join(imageDir, `${hexOf(id)}.json`);
  const namePath = (reference: string): string => join(nameDir, `${hexOf(digestOf(reference))}.json`);

  each(imageDir, damaged, (json, path) => {
    const record = imageRecord(json, path);
    if (record.builtIn === true) return;
    images.set(record.id, { ...record, config: parseImageConfig(blobs.get(record.id, CONFIG_MAX), path) });
  });
  each(nameDir, damaged, (json, path) => {
    check.object(json, path);
    const reference = check.text(json.reference, path);
    if (!isDigest(json.id)) throw new Error(`Cannot use ${path}: it names no image`);
    // The image went first when it was removed: what still names it is left over from a crash.
    if (images.has(json.id)) names.set(reference, json.id);
    else if (damaged.length === 0) removeDocument(path);
  });
  return {
    images,
    names,
    damaged,
    put(record, config) {
      if (record.builtIn !== true) writeDocument(imagePath(record.id), record, { sync: true });
      images.set(record.id, { ...record, config });
    },
    delete(id) {
      removeDocument(imagePath(id));
      images.delete(id);
    },
    name(reference, id) {
      const image = images.get(id);
      if (image !== undefined && image.builtIn !== true) {
        writeDocument(namePath(reference), { reference, id }, { sync: true });
        const { config, ...record } = image;
        this.put({ ...record, tagged: new Date().toISOString() }, config);
      }
      names.set(reference, id);
    },
    unname(reference) {
      removeDocument(namePath(reference));
      names.delete(reference);
    },
  };
}

function each(directory: string, damaged: string[], read: (json: Json, path: string) => void): void {
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const name of fs.readdirSync(directory).sort()) {
    const path = join(directory, name);
    if (name.endsWith(TEMPORARY)) {
      fs.rmSync(path, { force: true });
      continue;
    }
    try {
      const json = readDocument(path);
      if (json !== undefined) read(json, path);
    } catch (error) {
      damaged.push(error instanceof Error ? error.message : String(error));
    }
  }
}

function imageRecord(json: Json, path: string): ImageRecord {
  check.object(json, path);
  if (!isDigest(json.id) || !Array.isArray(json.layers))
    throw new Error(`Cannot use ${path}: it is no image`);
  return json as unknown as ImageRecord;
}
