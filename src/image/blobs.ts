import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Digest, digestOf, digestOfHex, finishDigest, hexOf, isId } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import { syncDirectory } from "../storage/document.ts";
import type { Bytes } from "../storage/driver.ts";

/** A blob that is written but has no name yet. */
export interface StagedBlob {
  readonly digest: Digest;
  readonly size: number;
  /** Reads it back. */
  open(): Bytes;
  /** Gives it its name; does nothing when the content is there already. */
  commit(): void;
  /** Takes it away; harmless after `commit`. */
  discard(): void;
}

/**
 * Content by digest. Success of a write means that the content is there and on the disk, not that this call wrote
 * it; what is read is checked against its name again.
 */
export interface Blobs {
  /** Writes a stream to a temporary file. */
  stage(source: Bytes): Promise<StagedBlob>;
  /** Passes a stream on while it is written; `staged` resolves when the stream has ended. */
  tee(source: Bytes): { readonly stream: Bytes; staged(): Promise<StagedBlob>; discard(): void };
  /** Stores a small document. */
  put(bytes: Uint8Array | string): Promise<Digest>;
  has(digest: Digest): boolean;
  /** A small document, checked; refused when it is not what its name says. */
  get(digest: Digest, max: number): Buffer;
  /** The content, checked at its end. */
  open(digest: Digest): Bytes;
  size(digest: Digest): number;
  remove(digest: Digest): void;
  list(): Digest[];
}

const datasync = promisify(fs.fdatasync);
const CHUNK = 256 * 1024;

/** The blobs below `root`/blobs/sha256. Removes what an earlier process left half written. */
export function openBlobs(root: string): Blobs {
  const store = join(root, "blobs", "sha256");
  const staging = join(root, "blobs", "staging");
  fs.mkdirSync(store, { recursive: true, mode: 0o700 });
  fs.rmSync(staging, { recursive: true, force: true });
  fs.mkdirSync(staging, { recursive: true, mode: 0o700 });
  const pathOf = (digest: Digest): string => join(store, hexOf(digest));

  function begin(): { write(chunk: Uint8Array): void; finish(): Promise<StagedBlob>; discard(): void } {
    const path = join(staging, randomBytes(12).toString("hex"));
    const file = fs.openSync(path, "wx", 0o600);
    const hash = createHash("sha256");
    let size = 0;
    let open = true;
    const close = (): void => {
      if (open) fs.closeSync(file);
      open = false;
    };
    const discard = (): void => {
      close();
      fs.rmSync(path, { force: true });
    };
    return {
      write(chunk) {
        hash.update(chunk);
        size += chunk.length;
        for (let at = 0; at < chunk.length; ) at += fs.writeSync(file, chunk, at);
      },
      async finish() {
        const digest = finishDigest(hash);
        await datasync(file);
        close();
        return {
          digest,
          size,
          open: () => readFile(path, digest),
          commit() {
            if (fs.existsSync(pathOf(digest))) return discard();
            fs.renameSync(path, pathOf(digest));
            syncDirectory(store);
          },
          discard,
        };
      },
      discard,
    };
  }
  return {
    async stage(source) {
      const blob = begin();
      try {
        for await (const chunk of source) blob.write(chunk);
        return await blob.finish();
      } catch (error) {
        blob.discard();
        throw error;
      }
    },
    tee(source) {
      const blob = begin();
      async function* stream(): AsyncGenerator<Uint8Array> {
        for await (const chunk of source) {
          blob.write(chunk);
          yield chunk;
        }
      }
      return { stream: stream(), staged: blob.finish, discard: blob.discard };
    },
    async put(bytes) {
      const digest = digestOf(bytes);
      if (fs.existsSync(pathOf(digest))) return digest;
      const blob = begin();
      try {
        blob.write(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
        (await blob.finish()).commit();
      } catch (error) {
        blob.discard();
        throw error;
      }
      return digest;
    },
    has: (digest) => fs.existsSync(pathOf(digest)),
    get(digest, max) {
      const path = pathOf(digest);
      if (fs.statSync(path).size > max) throw new Refusal("failed", `Cannot read ${digest}: it is too large`);
      const bytes = fs.readFileSync(path);
      if (digestOf(bytes) !== digest) throw damagedBlob(digest);
      return bytes;
    },
    open: (digest) => readFile(pathOf(digest), digest),
    size: (digest) => fs.statSync(pathOf(digest)).size,
    remove: (digest) => fs.rmSync(pathOf(digest), { force: true }),
    list: () => fs.readdirSync(store).filter(isId).map(digestOfHex),
  };
}

async function* readFile(path: string, digest: Digest): AsyncGenerator<Uint8Array> {
  const file = await fs.promises.open(path, "r");
  const hash = createHash("sha256");
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const { bytesRead } = await file.read(chunk, 0, CHUNK);
      if (bytesRead === 0) break;
      hash.update(chunk.subarray(0, bytesRead));
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
  if (finishDigest(hash) !== digest) throw damagedBlob(digest);
}

function damagedBlob(digest: Digest): Refusal {
  return new Refusal("failed", `Cannot read ${digest}: what is stored under this digest is damaged`);
}
