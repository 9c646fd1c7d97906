import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { type ChainId, isDigest } from "../oci/digest.ts";
import { codeOf, Refusal } from "../oci/error.ts";
import { check } from "../oci/json.ts";
import { readDocument, writeDocument } from "./document.ts";
import { isSnapshotId } from "./layers.ts";
import { usageOf } from "./usage.ts";

export interface Writable {
  readonly id: string;
  readonly chain: ChainId | undefined;
  readonly volatile: boolean;
}

/** The writable directories of containers: `w/<id>/{fs,work,snapshot.json}`. */
export interface Writables {
  /** An empty directory to stand on when there are no layers, relative to the base. */
  readonly empty: string;
  create(
    id: string,
    chain: ChainId | undefined,
    options: { readonly volatile: boolean; readonly fill: (files: string) => void },
  ): void;
  /** The same with a content of its own, which `fill` writes. */
  createFrom(id: string, chain: ChainId | undefined, fill: (files: string) => Promise<void>): Promise<void>;
  get(id: string): Writable;
  list(): Writable[];
  /** Relative to the base. */
  path(id: string): string;
  remove(id: string): Promise<void>;
  usage(id: string): Promise<number>;
  recover(): Promise<void>;
}

const DOCUMENT = "snapshot.json";

/** Finds the snapshots below `base` (absolute). */
export function openWritables(base: string): Writables {
  const all = join(base, "w");
  const removed = join(base, "removed");
  const empty = "empty";
  for (const path of [all, removed]) fs.mkdirSync(path, { recursive: true, mode: 0o700 });
  fs.mkdirSync(join(base, empty), { recursive: true, mode: 0o755 });
  const known = new Map<string, Writable>();
  for (const id of fs.readdirSync(all)) {
    const writable = readWritable(join(all, id, DOCUMENT), id);
    if (writable !== undefined) known.set(id, writable);
  }
  const get = (id: string): Writable => {
    const writable = known.get(id);
    if (writable === undefined)
      throw new Refusal("notFound", `Cannot find snapshot ${id}: it does not exist`);
    return writable;
  };
  /** Makes the directories; without its document a snapshot is half made and gives way. */
  const begin = (id: string): string => {
    if (!isSnapshotId(id))
      throw new Refusal("invalid", `Cannot make snapshot ${JSON.stringify(id)}: bad name`);
    const directory = join(all, id);
    const exists = () => new Refusal("conflict", `Cannot make snapshot ${id}: it exists`);
    if (known.has(id)) throw exists();
    try {
      fs.mkdirSync(directory, { mode: 0o700 });
    } catch (error) {
      // Looked at only now: ids are new, and a create waits for each call.
      if (codeOf(error) !== "EEXIST") throw error;
      if (fs.existsSync(join(directory, DOCUMENT))) throw exists();
      fs.rmSync(directory, { recursive: true, force: true });
      fs.mkdirSync(directory, { mode: 0o700 });
    }
    fs.mkdirSync(join(directory, "fs"), { mode: 0o755 });
    fs.chmodSync(join(directory, "fs"), 0o755);
    fs.mkdirSync(join(directory, "work"), { mode: 0o700 });
    return directory;
  };
  const commit = (writable: Writable): void => {
    const document = { chain: writable.chain ?? null, volatile: writable.volatile };
    writeDocument(join(all, writable.id, DOCUMENT), document, { sync: false });
    known.set(writable.id, writable);
  };
  return {
    empty,
    create(id, chain, { volatile, fill }) {
      const directory = begin(id);
      try {
        fill(join(directory, "fs"));
        commit({ id, chain, volatile });
      } catch (error) {
        fs.rmSync(directory, { recursive: true, force: true });
        throw error;
      }
    },
    async createFrom(id, chain, fill) {
      const directory = begin(id);
      try {
        await fill(join(directory, "fs"));
        commit({ id, chain, volatile: false });
      } catch (error) {
        fs.rmSync(directory, { recursive: true, force: true });
        throw error;
      }
    },
    get,
    list: () => [...known.values()],
    path: (id) => `w/${id}`,
    async remove(id) {
      if (!known.has(id)) return;
      const doomed = join(removed, `${id.slice(0, 12)}-${randomBytes(4).toString("hex")}`);
      fs.renameSync(join(all, id), doomed);
      known.delete(id);
      // It is gone as soon as it is renamed; the rest is not waited for, and `recover` finishes it after a crash.
      fs.promises.rm(doomed, { recursive: true, force: true }).catch(() => undefined);
    },
    usage: (id) => usageOf(join(all, get(id).id, "fs")),
    async recover() {
      for (const name of fs.readdirSync(removed)) {
        await fs.promises.rm(join(removed, name), { recursive: true, force: true });
      }
      for (const name of fs.readdirSync(all)) {
        // A damaged document stands beside what a container wrote: that is for a person to look at.
        if (known.has(name) || fs.existsSync(join(all, name, DOCUMENT))) continue;
        await fs.promises.rm(join(all, name), { recursive: true, force: true });
      }
    },
  };
}

function readWritable(path: string, id: string): Writable | undefined {
  try {
    const json = readDocument(path);
    check.object(json, path);
    const chain = json.chain;
    return { id, chain: isDigest(chain) ? (chain as ChainId) : undefined, volatile: json.volatile === true };
  } catch {
    return undefined;
  }
}
