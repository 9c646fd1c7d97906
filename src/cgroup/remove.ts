import { rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { cgroupError, errnoOf } from "./error.ts";
import { keyed, untilFile } from "./events.ts";
import { directoryIn, type Layout } from "./layout.ts";
import { below } from "./processes.ts";

/** How long processes that were killed may take to leave. */
const PATIENCE_MS = 10_000;

/**
 * Remove `cgroup`, and every cgroup a container made below it, from every tree. Its processes must have ended
 * or be killed already. Resolves at once when nothing is in the way; gone is gone, it may be called twice.
 */
export async function remove(layout: Layout, cgroup: string): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  // v2 first: it announces when the last process has left, and then the v1 trees are empty as well.
  for (const tree of layout.hierarchies.toReversed()) {
    const directory = directoryIn(tree, cgroup);
    for (let tries = 0; !removeTree(directory); tries++) {
      try {
        if (tree.version === 2 && tries === 0) await untilEmpty(directory, signal);
        // v1 tells nobody when a cgroup is empty. Hosts with a v2 tree come here only in the instant between
        // the last process's leaving and the kernel's being done with it.
        else await after(2, undefined, { signal });
      } catch (cause) {
        throw cgroupError("remove the cgroup", directory, "processes are still in it", {
          cause,
          errno: "EBUSY",
          hint: `see ${join(directory, "cgroup.procs")}`,
        });
      }
    }
  }
}

async function untilEmpty(directory: string, signal: AbortSignal): Promise<void> {
  try {
    await untilFile(join(directory, "cgroup.events"), (text) => keyed(text, "populated") === 0, signal);
  } catch (error) {
    // Removed by someone else in the meantime.
    if (!["ENOENT", "ENODEV"].includes(errnoOf(error) ?? "")) throw error;
  }
}

/** Deepest first; false when something is still in it. */
function removeTree(directory: string): boolean {
  if (removed(directory)) return true;
  return below(directory)
    .toReversed()
    .every((each) => removed(each));
}

function removed(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return true;
    if (errnoOf(error) === "EBUSY" || errnoOf(error) === "ENOTEMPTY") return false;
    throw error;
  }
}
