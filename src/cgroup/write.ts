import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { cgroupError, errnoOf } from "./error.ts";
import type { Write } from "./plan.ts";

/**
 * Do `writes`, in the order the kernel accepts. Which of two coupled limits must change first (memory and memory
 * with swap, quota and period, quota and burst) depends on their old values: one that is refused as invalid is
 * tried again after the others, as long as a round gets anything done. When one stays refused, what was
 * written gets its old value back, and a `CgroupError` names the field.
 */
export function applyWrites(writes: readonly Write[]): void {
  const done: { readonly file: string; readonly old: string }[] = [];
  let pending = [...writes];
  for (;;) {
    const refused: { readonly write: Write; readonly cause: unknown }[] = [];
    for (const write of pending) {
      const old = current(write.file);
      try {
        writeFileSync(write.file, write.value);
        if (old !== undefined) done.push({ file: write.file, old });
      } catch (cause) {
        const errno = errnoOf(cause);
        if (errno !== undefined && write.tolerate?.includes(errno)) continue;
        refused.push({ write, cause });
      }
    }
    const first = refused[0];
    if (first === undefined) return;
    if (refused.length === pending.length || refused.some(({ cause }) => errnoOf(cause) !== "EINVAL")) {
      restore(done);
      throw refusal(first.write, first.cause);
    }
    pending = refused.map(({ write }) => write);
  }
}

/** The one line of a limit's file; undefined for files that have more than one value. */
function current(file: string): string | undefined {
  try {
    const text = readFileSync(file, "utf8").trim();
    return text === "" || text.includes("\n") ? undefined : text;
  } catch {
    return undefined;
  }
}

function restore(done: readonly { readonly file: string; readonly old: string }[]): void {
  for (const { file, old } of done.toReversed())
    try {
      writeFileSync(file, old);
    } catch {
      // The error that is about to be thrown is the one to report.
    }
}

const IN_USE = "the container uses more than that now and nothing of it can be reclaimed";

/** What to do about a value the kernel finds wrong. */
const HINTS: Readonly<Record<string, string>> = {
  "linux.resources.memory.limit": "the limit may not exceed memory and swap together: raise that too",
  "linux.resources.memory.swap": "memory and swap together may not be less than memory alone",
  "linux.resources.cpu.quota": "a quota is at least 1000 µs and at most what the parent cgroup has",
  "linux.resources.cpu.period": "a period is between 1000 and 1000000 µs",
  "linux.resources.cpu.cpus": "name processors that the parent cgroup has, like 0-1,3",
  "linux.resources.cpu.mems": "name memory nodes that the parent cgroup has, like 0",
};

function hintFor(write: Write, errno: string | undefined): string | undefined {
  if (errno === "ENOENT") return `this kernel has no ${basename(write.file)}, or the container is gone`;
  if (errno === "EBUSY") return write.field.includes(".memory.") ? IN_USE : undefined;
  return HINTS[write.field];
}

function refusal(write: Write, cause: unknown): Error {
  const errno = errnoOf(cause);
  const reason = `the kernel refuses ${JSON.stringify(write.value)} (${errno ?? String(cause)})`;
  const hint = hintFor(write, errno);
  return cgroupError(`set ${write.field.replace("linux.resources.", "")}`, write.file, reason, {
    cause,
    ...(errno === undefined ? {} : { errno }),
    ...(hint === undefined ? {} : { hint }),
  });
}
