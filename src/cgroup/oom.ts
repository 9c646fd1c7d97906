import { readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "./error.ts";
import { keyed } from "./events.ts";
import { controllerDirectory, type Layout } from "./layout.ts";

/**
 * How many processes the kernel has killed for want of memory: the `oom_kill` line that `memory.events` (v2)
 * and `memory.oom_control` (v1, since Linux 4.13) share. 0 where an old kernel has no such line.
 */
export function parseOomKills(text: string): number {
  return keyed(text, "oom_kill") ?? 0;
}

const fileOf = (layout: Layout, cgroup: string): string | undefined => {
  const directory = controllerDirectory(layout, "memory", cgroup);
  const v2 = layout.controllers.get("memory")?.version === 2;
  return directory && join(directory, v2 ? "memory.events" : "memory.oom_control");
};

/** The kills in `cgroup` so far; 0 when it is gone or nothing counts them. */
export function oomKills(layout: Layout, cgroup: string): number {
  const file = fileOf(layout, cgroup);
  try {
    return file === undefined ? 0 : parseOomKills(readFileSync(file, "utf8"));
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENODEV") return 0;
    throw error;
  }
}

/**
 * Calls `killed` with the new total after each kill, until disposed. Only v2 can: v1 tells through an eventfd,
 * which JavaScript cannot make, so there the result is undefined and the count is read when the container ends.
 */
export function watchOom(
  layout: Layout,
  cgroup: string,
  killed: (total: number) => void,
): Disposable | undefined {
  const file = fileOf(layout, cgroup);
  if (file === undefined || layout.controllers.get("memory")?.version !== 2) return undefined;
  let last = oomKills(layout, cgroup);
  const watcher = watch(file, () => {
    const now = oomKills(layout, cgroup);
    if (now > last) killed(now);
    last = Math.max(last, now);
  });
  watcher.on("error", () => watcher.close());
  return { [Symbol.dispose]: () => watcher.close() };
}
