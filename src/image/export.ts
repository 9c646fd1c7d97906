import type { Bytes } from "../storage/driver.ts";
import type { RunPlan } from "../storage/kernel.ts";
import { toByteText } from "./tar/entry.ts";
import { packTree } from "./tar/pack.ts";

export interface ExportOptions {
  readonly runPlan: RunPlan;
  /** Absolute paths in the container where something else is mounted: they are exported without content. */
  readonly mounts?: readonly string[];
}

/**
 * `docker export`: the merged root of a container as an uncompressed tar. `root` is a path such as
 * `/proc/<pid>/root`; nothing in the tree is followed, so a running container cannot lead it out.
 */
export function exportRoot(root: string, options: ExportOptions): Bytes {
  const mounts = new Set((options.mounts ?? []).map((path) => toByteText(path).replace(/^\/+|\/+$/g, "")));
  return packTree(root, {
    runPlan: options.runPlan,
    withoutRoot: true,
    choose: (path) => (mounts.has(path) ? "empty" : "keep"),
  });
}
