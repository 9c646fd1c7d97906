import { readFileSync, watch } from "node:fs";

/**
 * Resolves when `holds` is true of the text of `file` (`cgroup.events`, `memory.events`), at once or after a
 * change; rejects when `signal` aborts. The kernel announces changes of these files to inotify.
 */
export function untilFile(
  file: string,
  holds: (text: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(file, () => check());
    const finish = (error?: unknown) => {
      watcher.close();
      signal.removeEventListener("abort", aborted);
      if (error === undefined) resolve();
      else reject(error);
    };
    const aborted = () => finish(signal.reason);
    const check = () => {
      try {
        if (holds(readFileSync(file, "utf8"))) finish();
      } catch (error) {
        finish(error);
      }
    };
    watcher.on("error", finish);
    signal.addEventListener("abort", aborted);
    // The watch is in place: whatever changes from here on is told, whatever changed before is seen now.
    if (signal.aborted) aborted();
    else check();
  });
}

/** The value of `key` in a file of `key value` lines; undefined when it has none. */
export function keyed(text: string, key: string): number | undefined {
  const match = new RegExp(`^${key} (\\d+)$`, "m").exec(text);
  return match === null ? undefined : Number(match[1]);
}
