import { readFileSync } from "node:fs";
import { join } from "node:path";
import { controllerDirectory, type Layout } from "./layout.ts";

/** What version 1 says where there is no limit: a page less than the largest number, which no machine has. */
const UNLIMITED = 2 ** 62;

/** The memory that a cgroup may use, in bytes; undefined where there is no limit, or no such cgroup. */
export function memoryLimit(layout: Layout, cgroup: string): number | undefined {
  const directory = controllerDirectory(layout, "memory", cgroup);
  if (directory === undefined) return undefined;
  const file = layout.controllers.get("memory")?.version === 2 ? "memory.max" : "memory.limit_in_bytes";
  try {
    const bytes = Number(readFileSync(join(directory, file), "utf8"));
    // NaN for "max".
    return bytes < UNLIMITED ? bytes : undefined;
  } catch {
    return undefined;
  }
}
