import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "./error.ts";
import { freeze, isFrozen, thaw } from "./freeze.ts";
import { directoryIn, type Layout } from "./layout.ts";
import { processes } from "./processes.ts";

/**
 * Kill every process of `cgroup`, those being forked at this moment too. Resolves when the signals are sent;
 * nothing happens when the cgroup is gone or empty.
 */
export async function killAll(layout: Layout, cgroup: string): Promise<void> {
  if (layout.unified !== undefined && killUnified(directoryIn(layout.unified, cgroup))) return;
  await signalAll(layout, cgroup, "SIGKILL");
}

/** One write kills the whole tree (Linux 5.14); false where there is no such file. */
function killUnified(directory: string): boolean {
  try {
    writeFileSync(join(directory, "cgroup.kill"), "1", { flag: "r+" });
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Send `signal` to every process of `cgroup`. They are frozen meanwhile, so that no pid is reused and none forks
 * past the list; a container that was paused stays so, unless the signal is SIGKILL, which could not work then.
 */
export async function signalAll(
  layout: Layout,
  cgroup: string,
  signal: NodeJS.Signals | number,
): Promise<void> {
  if (processes(layout, cgroup).length === 0) return;
  const paused = isFrozen(layout, cgroup);
  await freeze(layout, cgroup);
  try {
    for (const pid of processes(layout, cgroup)) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if (errnoOf(error) !== "ESRCH") throw error;
      }
    }
  } finally {
    if (!paused || signal === "SIGKILL" || signal === 9) await thaw(layout, cgroup);
  }
}
