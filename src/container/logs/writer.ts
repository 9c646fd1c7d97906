import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import type { Journal } from "../launcher.ts";
import { now } from "../time.ts";
import type { LogFileOptions } from "./drivers/file.ts";
import { formatter, type Target } from "./format.ts";
import { resumeLog } from "./resume.ts";
import { compressRotated, nextName, turnOver } from "./rotated.ts";

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

export interface LogWriter extends LogFile, Journal {
  /** A promise where the container is to wait before it writes more. */
  write(stream: "stdout" | "stderr", chunk: Uint8Array): Promise<unknown> | undefined;
  /** Unfinished lines are written; followers are told that nothing more comes. */
  end(): void;
}

/**
 * Appends to `path`; opens it at the first output, so that a silent container costs no descriptor. A full file ends
 * with the line that reaches its size, as Docker's. Files are 0640: output may hold secrets.
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
  let inode = 0;
  let generation = 0;
  let version = 0;
  let live = true;
  let failed = false;
  const waiting = new Set<() => void>();
  const formatters = {
    stdout: formatter("stdout", attributes),
    stderr: formatter("stderr", attributes),
  } as const;
  /** Something could not be written: the rest of the chunk is not tried. */
  let broken = false;
  let wrote = false;

  const changed = (): void => {
    version++;
    if (waiting.size === 0) return;
    const calls = [...waiting];
    waiting.clear();
    for (const call of calls) call();
  };

  const open = (): void => {
    descriptor = openSync(path, "a", 0o640);
    ({ ino: inode, size } = fstatSync(descriptor));
  };

  /** Whoever notes positions hears of the new file before the old one moves: a crash leaves one or the other. */
  const rotate = (): void => {
    const { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } = constants;
    const next = openSync(nextName(path), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o640);
    closeSync(descriptor);
    descriptor = next;
    ({ ino: inode, size } = fstatSync(next));
    writer.moving?.();
    turnOver(path, limits.maxFile);
    if (limits.compress) compressRotated(path, limits.maxFile, onError);
    generation++;
  };

  const attempt = (work: () => void): void => {
    if (broken) return;
    try {
      work();
    } catch (error) {
      broken = true;
      if (!failed) onError(error as Error);
      failed = true;
    }
  };

  const append = (lines: Uint8Array): void => {
    if (size >= limits.maxSize) rotate();
    for (let at = 0; at < lines.length; ) {
      const written = writeSync(descriptor, lines, at, lines.length - at);
      at += written;
      size += written;
    }
  };

  const target: Target = {
    room() {
      if (descriptor < 0) attempt(open);
      return size < limits.maxSize ? limits.maxSize - size : limits.maxSize;
    },
    write(lines) {
      wrote = true;
      attempt(() => append(lines));
    },
  };

  const writer: LogWriter = {
    moving: null,
    position(stream) {
      if (descriptor < 0 && !failed) {
        try {
          open();
        } catch (error) {
          onError(error as Error);
          failed = true;
        }
      }
      return { held: formatters[stream].held, inode, size };
    },
    resume: (streams) => resumeLog(path, limits.maxFile, streams),
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
      broken = wrote = false;
      formatters[stream].push(chunk, now(), target);
      if (wrote) changed();
      return undefined;
    },
    end() {
      if (!live) return;
      const at = now();
      broken = false;
      for (const stream of ["stdout", "stderr"] as const) formatters[stream].end(at, target);
      live = false;
      if (descriptor >= 0) closeSync(descriptor);
      descriptor = -1;
      changed();
    },
  };
  return writer;
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
    moving: null,
    position: () => ({ held: 0, inode: 0, size: 0 }),
    resume: (streams) => streams.map(() => 0),
    onChange: () => () => undefined,
    write: () => undefined,
    end() {
      live = false;
    },
  };
}
