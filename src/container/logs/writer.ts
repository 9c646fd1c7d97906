import { closeSync, fstatSync, openSync, writeSync } from "node:fs";
import { now } from "../time.ts";
import type { LogFileOptions } from "./drivers/file.ts";
import { formatter } from "./format.ts";
import { compressRotated, moveFile } from "./rotated.ts";

/** The log of one container on disk: the current file, `.1` the one before, and so on. */
export interface LogFile {
  /** Grows by one with each rotation: the file that was generation N is at `path.(generation - N)`. */
  readonly generation: number;
  /** False once the container has ended and everything is written. */
  readonly live: boolean;
  /** Grows with each change, so that a reader knows whether it missed one. */
  readonly version: number;
  /** Called once, at the next write, rotation or end. */
  onChange(call: () => void): () => void;
}

export interface LogWriter extends LogFile {
  /** A promise where the container is to wait before it writes more. */
  write(stream: "stdout" | "stderr", chunk: Uint8Array): Promise<unknown> | undefined;
  /** Unfinished lines are written; followers are told that nothing more comes. */
  end(): void;
}

/**
 * Appends to `path`; opens it at the first output, so that a silent container costs no descriptor. One `write`
 * per chunk, unless it fills the file: that ends with the line that reaches its size, as Docker's. Files are 0640: output may hold secrets.
 * A full disk must not end the container: `onError` hears of it once per start and the output is lost.
 */
export function logWriter(
  path: string,
  limits: Pick<LogFileOptions, "maxSize" | "maxFile"> & Partial<Pick<LogFileOptions, "compress">>,
  onError: (error: Error) => void,
  attributes: Readonly<Record<string, string>> | null = null,
): LogWriter {
  let descriptor = -1;
  let size = 0;
  let generation = 0;
  let version = 0;
  let live = true;
  let failed = false;
  const waiting = new Set<() => void>();
  const stdout = formatter("stdout", attributes);
  const stderr = formatter("stderr", attributes);

  const changed = (): void => {
    version++;
    if (waiting.size === 0) return;
    const calls = [...waiting];
    waiting.clear();
    for (const call of calls) call();
  };

  const open = (): void => {
    descriptor = openSync(path, "a", 0o640);
    size = fstatSync(descriptor).size;
  };

  const rotate = (): void => {
    closeSync(descriptor);
    descriptor = -1;
    // The oldest is replaced by the rename onto it; with one file it is truncated.
    for (let n = limits.maxFile - 1; n > 0; n--)
      moveFile(n === 1 ? path : `${path}.${n - 1}`, `${path}.${n}`);
    if (limits.compress) compressRotated(path, limits.maxFile, onError);
    generation++;
    descriptor = openSync(path, limits.maxFile === 1 ? "w" : "a", 0o640);
    size = 0;
  };

  const writeUntil = (bytes: Buffer, from: number, end: number): number => {
    let at = from;
    while (at < end) {
      const written = writeSync(descriptor, bytes, at, end - at);
      at += written;
      size += written;
    }
    return at;
  };

  const append = (text: string): void => {
    if (text === "") return;
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) {
        if (descriptor < 0) open();
        if (size >= limits.maxSize) rotate();
        at = writeUntil(bytes, at, lineEnd(bytes, at + limits.maxSize - size));
      }
    } catch (error) {
      if (!failed) onError(error as Error);
      failed = true;
    }
    changed();
  };

  return {
    get generation() {
      return generation;
    },
    get version() {
      return version;
    },
    get live() {
      return live;
    },
    onChange(call) {
      waiting.add(call);
      return () => waiting.delete(call);
    },
    write(stream, chunk) {
      append((stream === "stdout" ? stdout : stderr).push(chunk, now()));
      return undefined;
    },
    end() {
      if (!live) return;
      const at = now();
      append(stdout.end(at) + stderr.end(at));
      live = false;
      if (descriptor >= 0) closeSync(descriptor);
      descriptor = -1;
      changed();
    },
  };
}

/** Where the line ends that has the byte before `room`. */
function lineEnd(bytes: Buffer, room: number): number {
  if (room >= bytes.length) return bytes.length;
  const end = bytes.indexOf(10, room - 1);
  return end < 0 ? bytes.length : end + 1;
}

/** The log of a container that keeps none. */
export function noLog(): LogWriter {
  let live = true;
  return {
    generation: 0,
    version: 0,
    get live() {
      return live;
    },
    onChange: () => () => undefined,
    write: () => undefined,
    end() {
      live = false;
    },
  };
}
