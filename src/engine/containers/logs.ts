import type { Entry } from "../../container/logs/entry.ts";
import { readLog } from "../../container/logs/reader.ts";
import { formatTime, parseTime } from "../../container/time.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { unsupported } from "../refuse.ts";
import { logPath } from "./log.ts";

export interface LogsOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Nanoseconds since 1970. */
  readonly since: bigint | null;
  readonly until: bigint | null;
  readonly tail: number | null;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/**
 * What a container has written, in batches, at the reader's pace.
 * @throws Refusal (501) when its driver keeps nothing
 */
export function logs(context: Context, container: Container, options: LogsOptions): AsyncGenerator<Entry[]> {
  const { logOptions } = container;
  const path = logPath(context, container);
  if (path === null || logOptions.file === null) {
    throw unsupported("configured logging driver does not support reading");
  }
  const entries = readLog(path, logOptions.file.maxFile, container.log, {
    // With `since` the file is read from its start, and what is older left out.
    tail: options.tail,
    follow: options.follow,
    signal: options.signal,
  });
  return selected(entries, options);
}

async function* selected(entries: AsyncGenerator<Entry[]>, options: LogsOptions): AsyncGenerator<Entry[]> {
  const { since, until } = options;
  const both = options.stdout && options.stderr;
  if (both && since === null && until === null) {
    yield* entries;
    return;
  }
  // Times of one form compare as texts do.
  const from = since === null ? "" : formatTime(since);
  const to = until === null ? null : formatTime(until);
  for await (const batch of entries) {
    const passed = batch.filter(
      ({ stream, time }) =>
        (stream === "stdout" ? options.stdout : options.stderr) &&
        normal(time) >= from &&
        (to === null || normal(time) <= to),
    );
    if (passed.length > 0) yield passed;
    const last = batch.at(-1);
    if (to !== null && last && normal(last.time) > to) return;
  }
}

/** Other writers of the format leave zeros out at the end. */
function normal(time: string): string {
  if (time.length === 30) return time;
  const nanoseconds = parseTime(time);
  return nanoseconds === null ? time : formatTime(nanoseconds);
}
