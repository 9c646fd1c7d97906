import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isContainerId } from "./id.ts";
import { type ContainerRecord, parseRecord } from "./record.ts";

/** Containers on disk: `<directory>/<id>/container.json` and what belongs to each beside it. */
export interface ContainerStore {
  /** Where a container's files are. */
  folder(id: string): string;
  /** Replaces the document at once; not synced, so that no start waits for the disk. */
  save(record: ContainerRecord): void;
  /** Removes the folder. An engine killed in between removes the rest when it starts. */
  remove(id: string): void;
  load(): Loaded;
}

export interface Loaded {
  readonly records: readonly ContainerRecord[];
  /** Documents that are not believed; they are left as they are for a person to look at. */
  readonly damaged: readonly string[];
}

const DOCUMENT = "container.json";
const NEW = `${DOCUMENT}.new`;

/** The store below `directory`, which is made if need be. */
export function createStore(directory: string): ContainerStore {
  mkdirSync(directory, { recursive: true, mode: 0o710 });

  return {
    folder: (id) => join(directory, id),
    save(record) {
      const folder = `${directory}/${record.id}`;
      const text = JSON.stringify(record);
      try {
        writeFileSync(`${folder}/${NEW}`, text, { mode: 0o600 });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        mkdirSync(folder, { mode: 0o710 });
        writeFileSync(`${folder}/${NEW}`, text, { mode: 0o600 });
      }
      renameSync(`${folder}/${NEW}`, `${folder}/${DOCUMENT}`);
    },
    remove(id) {
      const folder = `${directory}/${id}`;
      try {
        // The document first: a folder without one is removed when the next engine starts.
        unlinkSync(`${folder}/${DOCUMENT}`);
        for (const name of readdirSync(folder)) unlinkSync(`${folder}/${name}`);
        rmdirSync(folder);
      } catch {
        // Not as it should be: something that is no file in it, or nothing there at all.
        rmSync(folder, { recursive: true, force: true });
      }
    },
    load() {
      const records: ContainerRecord[] = [];
      const damaged: string[] = [];
      for (const name of readdirSync(directory)) {
        const folder = join(directory, name);
        if (!isContainerId(name)) continue;
        const text = textOf(join(folder, DOCUMENT));
        // The folder is made just before its first document: a create that never answered.
        if (text === null) rmSync(folder, { recursive: true, force: true });
        else {
          const record = parseRecord(text, name);
          if (record) records.push(record);
          else damaged.push(join(folder, DOCUMENT));
        }
      }
      return { records, damaged };
    },
  };
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
