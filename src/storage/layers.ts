import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { type ChainId, type DiffId, hexOf, isDigest, isId } from "../oci/digest.ts";
import { check } from "../oci/json.ts";
import { readDocument, syncDirectory, writeDocument } from "./document.ts";

/** What is kept beside a layer's files. */
export interface LayerRecord {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  readonly parent?: ChainId;
  readonly size: number;
  /** Directories in it that hide everything below them, as bytes (latin1). */
  readonly opaque?: readonly string[];
  /** Directories elsewhere that lie below this one, topmost first; only of adopted layers. */
  readonly below?: readonly string[];
  /** Paths that its own files mark as removed in them, relative. */
  readonly hidden?: readonly string[];
}

/**
 * The directories of layers, which two drivers share: `l/<16 digits of the chain id>/fs` with `layer.json` beside
 * it. A name appears by rename only, so what has a name is whole. Short names keep mount options short.
 */
export interface LayerStore {
  /** A directory under no name yet. */
  begin(): { readonly files: string; commit(record: LayerRecord): boolean; discard(): void };
  get(chain: ChainId): LayerRecord | undefined;
  list(): ChainId[];
  /** Files of a layer, relative to the base directory. */
  path(chain: ChainId): string;
  remove(chain: ChainId): Promise<void>;
  recover(): Promise<void>;
}

const NAME_LENGTH = 16;

/** Finds the layers below `base` (absolute); those with a damaged record are not there. */
export function openLayers(base: string): LayerStore {
  const layers = join(base, "l");
  const staging = join(base, "staging");
  fs.mkdirSync(layers, { recursive: true, mode: 0o700 });
  fs.mkdirSync(staging, { recursive: true, mode: 0o700 });
  const known = new Map<ChainId, LayerRecord>();
  const nameOf = (chain: ChainId): string => hexOf(chain).slice(0, NAME_LENGTH);
  for (const name of fs.readdirSync(layers)) {
    const record = readRecord(join(layers, name, "layer.json"));
    if (record !== undefined && nameOf(record.chainId) === name) known.set(record.chainId, record);
  }
  return {
    begin() {
      const directory = join(staging, randomBytes(8).toString("hex"));
      const files = join(directory, "fs");
      fs.mkdirSync(files, { recursive: true, mode: 0o755 });
      fs.chmodSync(files, 0o755);
      return {
        files,
        commit(record) {
          const target = join(layers, nameOf(record.chainId));
          if (known.has(record.chainId)) {
            fs.rmSync(directory, { recursive: true, force: true });
            return false;
          }
          writeDocument(join(directory, "layer.json"), record, { sync: true });
          // A directory of this name that is not known is damaged: it gives way.
          fs.rmSync(target, { recursive: true, force: true });
          fs.renameSync(directory, target);
          syncDirectory(layers);
          known.set(record.chainId, record);
          return true;
        },
        discard: () => fs.rmSync(directory, { recursive: true, force: true }),
      };
    },
    get: (chain) => known.get(chain),
    list: () => [...known.keys()],
    path: (chain) => `l/${nameOf(chain)}/fs`,
    async remove(chain) {
      if (!known.delete(chain)) return;
      const doomed = join(staging, randomBytes(8).toString("hex"));
      fs.renameSync(join(layers, nameOf(chain)), doomed);
      await fs.promises.rm(doomed, { recursive: true, force: true });
    },
    async recover() {
      for (const name of fs.readdirSync(staging)) {
        await fs.promises.rm(join(staging, name), { recursive: true, force: true });
      }
    },
  };
}

function readRecord(path: string): LayerRecord | undefined {
  try {
    const json = readDocument(path);
    check.object(json, path);
    if (!isDigest(json.chainId) || !isDigest(json.diffId) || typeof json.size !== "number") return undefined;
    return json as unknown as LayerRecord;
  } catch {
    // A layer whose record is damaged is not there; it is unpacked again when it is wanted.
    return undefined;
  }
}

/** Whether a snapshot's name is one: the id of a container, or what tests use in its place. */
export function isSnapshotId(id: string): boolean {
  return isId(id) || /^[a-z0-9][a-z0-9_-]{0,127}$/.test(id);
}
