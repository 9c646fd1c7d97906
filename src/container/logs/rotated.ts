import {
  closeSync,
  createReadStream,
  createWriteStream,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { codeOf } from "../../oci/error.ts";

/** The file that is going to be the current one. */
export const nextName = (path: string): string => `${path}.next`;

/** A file is there as it is, or compressed, or both where a crash came in between. */
const FORMS = ["", ".gz"] as const;
const formsOf = (name: string) =>
  FORMS.filter((end) => statSync(name + end, { throwIfNoEntry: false }) !== undefined);

/**
 * The next file takes the place of the current one, that of the one before it, and so on; of `maxFile` files the
 * oldest goes. Cut short, it can be done again: what has moved already leaves a gap.
 */
export function turnOver(path: string, maxFile: number): void {
  const nameOf = (age: number): string => (age === 0 ? path : `${path}.${age}`);
  let gap = 0;
  while (gap < maxFile && formsOf(nameOf(gap)).length > 0) gap++;
  // Not by a rename onto it: file systems flush then.
  if (gap === maxFile) {
    gap--;
    for (const end of formsOf(nameOf(gap))) rmSync(nameOf(gap) + end);
  }
  for (; gap > 0; gap--)
    for (const end of formsOf(nameOf(gap - 1))) renameSync(nameOf(gap - 1) + end, nameOf(gap) + end);
  renameSync(nextName(path), path);
}

/** Compressions of one log, one after the other. */
const working = new Map<string, Promise<void>>();

/**
 * Compresses `path.1` in the background. It may move on meanwhile: the file is known by its inode, not by its name.
 * What a crash leaves uncompressed stays readable and rotates away.
 */
export function compressRotated(path: string, maxFile: number, failed: (error: Error) => void): void {
  const source = openSync(`${path}.1`, "r");
  const before = working.get(path) ?? Promise.resolve();
  const work = before
    .then(() => compress(path, maxFile, source))
    .catch(failed)
    .finally(() => {
      if (working.get(path) === work) working.delete(path);
    });
  working.set(path, work);
}

async function compress(path: string, maxFile: number, source: number): Promise<void> {
  const half = `${path}.gz-half`;
  try {
    const { ino } = statSync(`/proc/self/fd/${source}`);
    const target = createWriteStream(half, { mode: 0o640 });
    await pipeline(createReadStream("", { fd: source, start: 0, autoClose: false }), createGzip(), target);
    for (let age = 1; age < maxFile; age++) {
      const name = `${path}.${age}`;
      if (statSync(name, { throwIfNoEntry: false })?.ino !== ino) continue;
      renameSync(half, `${name}.gz`);
      rmSync(name);
      return;
    }
  } finally {
    closeSync(source);
    rmSync(half, { force: true });
  }
}

/** A log file that was opened at one moment, whatever its name is now. */
export interface OpenLog {
  readonly descriptor: number;
  readonly packed: boolean;
}

/** The file of this name, compressed or not; null when there is none. */
export function openLogFile(path: string): OpenLog | null {
  const plain = openIfThere(path);
  if (plain >= 0) return { descriptor: plain, packed: false };
  const packed = openIfThere(`${path}.gz`);
  return packed < 0 ? null : { descriptor: packed, packed: true };
}

let counter = 0;

/** A descriptor of its text: of a compressed one that is a file without a name. Takes the given one over. */
export async function textOf(path: string, log: OpenLog): Promise<number> {
  if (!log.packed) return log.descriptor;
  const name = `${path}.${process.pid}-${counter++}.reading`;
  const text = openSync(name, "wx+", 0o600);
  rmSync(name);
  try {
    const target = createWriteStream(`/proc/self/fd/${text}`);
    await pipeline(createReadStream("", { fd: log.descriptor }), createGunzip(), target);
    return text;
  } catch (error) {
    closeSync(text);
    throw error;
  }
}

function openIfThere(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return -1;
    throw error;
  }
}
