import { closeSync, fstatSync } from "node:fs";
import type { Entry } from "./entry.ts";
import { records } from "./records.ts";
import { openLogFile, textOf } from "./rotated.ts";
import { tailOffset } from "./tail.ts";
import type { LogFile } from "./writer.ts";

export interface ReadOptions {
  /** Lines from the end; null is everything. */
  readonly tail: number | null;
  /** Go on with what is written, until the container ends or `signal` fires. */
  readonly follow: boolean;
  readonly signal?: AbortSignal;
}

/**
 * The messages of a container's log, oldest first, in batches of one block of a file. A slow consumer costs
 * nothing: the file waits; one that is slower than all files together misses what rotated away. Damaged
 * lines are left out.
 * @param live the writer of the current start, when there is one: followed by its notes, never by polling
 */
export async function* readLog(
  path: string,
  maxFile: number,
  live: LogFile | null,
  options: ReadOptions,
): AsyncGenerator<Entry[]> {
  const follow = options.follow && live !== null;
  let generation = live?.generation ?? 0;
  const files = await openAll(path, maxFile);
  const current = files.find((file) => file.current)?.descriptor ?? null;
  const starts = startsOf(files, options.tail);
  try {
    for (const [index, file] of files.entries()) {
      if (follow && file.current) continue;
      const part = records(file.descriptor, starts[index]!, fstatSync(file.descriptor).size);
      for (let entries = part.next(); entries; entries = part.next()) {
        if (entries.length > 0) yield entries;
        if (options.signal?.aborted) return;
      }
      closeSync(file.descriptor);
      files[index] = { ...file, descriptor: -1 };
    }
    if (!follow) return;

    let part = current === null ? null : records(current, starts.at(-1)!);
    let later = -1;
    try {
      for (;;) {
        // All three are read before the file is, so that nothing written in between is missed.
        const { version, live: more, generation: newest } = live;
        if (!part) {
          generation = Math.max(generation, newest - maxFile + 1);
          later = await openNow(nameOf(path, newest - generation));
          if (later >= 0) part = records(later, 0);
        }
        for (let entries = part?.next() ?? null; entries; entries = part?.next() ?? null) {
          if (entries.length > 0) yield entries;
          if (options.signal?.aborted) return;
        }
        if (newest !== generation) {
          generation++;
          part = null;
          if (later >= 0) closeSync(later);
          later = -1;
        } else if (!more) return;
        else if (live.version === version) await changeOf(live, options.signal);
        if (options.signal?.aborted) return;
      }
    } finally {
      if (later >= 0) closeSync(later);
    }
  } finally {
    for (const file of files) if (file.descriptor >= 0) closeSync(file.descriptor);
  }
}

function changeOf(live: LogFile, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      forget();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const forget = live.onChange(done);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}

interface OpenFile {
  readonly descriptor: number;
  readonly current: boolean;
}

const nameOf = (path: string, age: number): string => (age === 0 ? path : `${path}.${age}`);

/** Oldest first. All are opened before anything is waited for, so that no rotation comes in between. */
async function openAll(path: string, maxFile: number): Promise<OpenFile[]> {
  const names = Array.from({ length: maxFile }, (_, index) => nameOf(path, maxFile - 1 - index));
  const opened = names.map((name) => ({ name, log: openLogFile(name) }));
  const files: OpenFile[] = [];
  for (const { name, log } of opened) {
    if (log) files.push({ descriptor: await textOf(path, log), current: name === path });
  }
  return files;
}

async function openNow(path: string): Promise<number> {
  const log = openLogFile(path);
  return log ? await textOf(path, log) : -1;
}

/** Where to begin in each file so that `tail` lines are read in all. */
function startsOf(files: readonly OpenFile[], tail: number | null): number[] {
  if (tail === null) return files.map(() => 0);
  let wanted = tail;
  return files
    .toReversed()
    .map((file) => {
      const { offset, lines } = tailOffset(file.descriptor, wanted);
      wanted -= lines;
      return offset;
    })
    .reverse();
}
