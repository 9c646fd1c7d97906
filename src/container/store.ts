import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rm,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { codeOf } from "../oci/error.ts";
import { isContainerId } from "./id.ts";
import { type ContainerRecord, parseRecord } from "./record.ts";

/** Containers on disk: `<directory>/<id>/container.<n>.json` and what belongs to each beside it. */
export interface ContainerStore {
  /** Where a container's files are. */
  folder(id: string): string;
  /** Replaces the document at once; not synced, so that no start waits for the disk. */
  save(record: ContainerRecord): void;
  /**
   * Saves within a few milliseconds, unless the record is saved or removed before. For what a new engine finds
   * out by itself: that a container runs, or how it ended, is in its run directory, which may go once `saved`
   * is called. That is called exactly once, whichever way the record is saved or removed.
   */
  saveSoon(record: ContainerRecord, saved?: () => void): void;
  /** Writes now what `saveSoon` still holds back. */
  settle(record: ContainerRecord): void;
  /** Removes the folder. An engine killed in between removes the rest when it starts. */
  remove(id: string): void;
  load(): Loaded;
}

export interface Loaded {
  readonly records: readonly ContainerRecord[];
  /** Documents that are not believed; they are left as they are for a person to look at. */
  readonly damaged: readonly string[];
}

/**
 * A container's document is `container.<n>.json`; each save writes the next number and removes the one before.
 * Renaming onto an existing file would be as safe, but file systems flush then (ext4's auto_da_alloc), and no
 * start is to wait for the disk. A crash leaves both, or a torn new one: the newest that is whole counts.
 */
const DOCUMENT = /^container\.(\d{1,15})\.json$/;
const document = (folder: string, generation: number): string => `${folder}/container.${generation}.json`;
/** A container's first document while it is written. */
const FIRST = ".first";
/** Long enough for a command that ends at once to be saved once. */
const SOON_MS = 20;
/** A folder with this name beginning is being removed. */
const GONE = ".removing-";

/** Open the store in `directory`, made if need be; `failed` hears of documents that could not be saved soon. */
export function createStore(
  directory: string,
  failed: (record: ContainerRecord, error: unknown) => void = () => undefined,
): ContainerStore {
  mkdirSync(directory, { recursive: true, mode: 0o710 });
  const generations = new Map<string, number>();
  const waiting = new Map<string, { readonly timer: NodeJS.Timeout; readonly saved: () => void }>();
  const forget = (id: string): boolean => {
    const held = waiting.get(id);
    if (held === undefined) return false;
    clearTimeout(held.timer);
    waiting.delete(id);
    held.saved();
    return true;
  };

  const store: ContainerStore = {
    folder: (id) => join(directory, id),
    saveSoon(record, saved = () => undefined) {
      const before = waiting.get(record.id);
      clearTimeout(before?.timer);
      const timer = setTimeout(() => {
        try {
          store.save(record);
        } catch (error) {
          // It stays held back, and its exit record where it is, until a save succeeds.
          failed(record, error);
        }
      }, SOON_MS);
      const all = () => {
        before?.saved();
        saved();
      };
      waiting.set(record.id, { timer, saved: all });
    },
    settle(record) {
      if (waiting.has(record.id)) store.save(record);
    },
    save(record) {
      const folder = `${directory}/${record.id}`;
      const before = generations.get(record.id);
      if (before === undefined) mkdirSync(folder, { mode: 0o710 });
      const generation = (before ?? 0) + 1;
      try {
        const path = document(folder, generation);
        // A later document that is torn leaves the one before; the first has none before it, so it appears whole.
        const written = before === undefined ? `${folder}/${FIRST}` : path;
        writeFileSync(written, JSON.stringify(record), { mode: 0o600 });
        if (written !== path) renameSync(written, path);
      } catch (error) {
        // A full disk: what was there stays what counts.
        for (const path of [document(folder, generation), `${folder}/${FIRST}`])
          rmSync(path, { force: true });
        throw error;
      }
      generations.set(record.id, generation);
      if (before !== undefined) unlinkSync(document(folder, before));
      forget(record.id);
    },
    remove(id) {
      generations.delete(id);
      const gone = `${directory}/${GONE}${id}`;
      const there = renamed(`${directory}/${id}`, gone);
      // Only now: what was held back may be in a run directory only, which goes with this.
      forget(id);
      if (!there) return;
      // It is gone as soon as it is renamed; the rest is not waited for.
      rm(gone, { recursive: true, force: true }, () => undefined);
    },
    load() {
      const records: ContainerRecord[] = [];
      const damaged: string[] = [];
      for (const name of readdirSync(directory)) {
        const folder = join(directory, name);
        if (name.startsWith(GONE)) rmSync(folder, { recursive: true, force: true });
        if (!isContainerId(name)) continue;
        const found = newest(folder, name);
        // The folder is made just before its first document: a create that never answered.
        if (found === null) rmSync(folder, { recursive: true, force: true });
        else {
          generations.set(name, found.generation);
          if (found.record === null) damaged.push(document(folder, found.generation));
          else records.push(found.record);
        }
      }
      return { records, damaged };
    },
  };
  return store;
}

/** Whether there was such a folder. */
function renamed(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** The newest document that is whole; others are removed. Null where there is none at all. */
function newest(
  folder: string,
  id: string,
): { readonly generation: number; readonly record: ContainerRecord | null } | null {
  const generations = readdirSync(folder)
    .flatMap((name) => DOCUMENT.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
  const first = generations[0];
  if (first === undefined) return null;
  for (const generation of generations) {
    const record = parseRecord(textOf(document(folder, generation)) ?? "", id);
    if (record === null || record === undefined) continue;
    for (const other of generations)
      if (other !== generation) rmSync(document(folder, other), { force: true });
    return { generation, record };
  }
  return { generation: first, record: null };
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}
