import { totalmem } from "node:os";
import type { MemoryStats } from "../wire/stats.ts";
import { readKeyed, readNumber } from "./read.ts";

/** The lines of v1's `memory.stat` that Docker passes on, with the hierarchical limits. */
const LEGACY_LINES = [
  "cache",
  "rss",
  "rss_huge",
  "mapped_file",
  "dirty",
  "writeback",
  "pgpgin",
  "pgpgout",
  "pgfault",
  "pgmajfault",
  "inactive_anon",
  "active_anon",
  "inactive_file",
  "active_file",
  "unevictable",
];

/** The lines of v2's `memory.stat` that Docker passes on; clients compute "used" from them. */
const UNIFIED_LINES = [
  "anon",
  "file",
  "kernel_stack",
  "slab",
  "sock",
  "shmem",
  "file_mapped",
  "file_dirty",
  "file_writeback",
  "anon_thp",
  "inactive_anon",
  "active_anon",
  "inactive_file",
  "active_file",
  "unevictable",
  "slab_reclaimable",
  "slab_unreclaimable",
  "pgfault",
  "pgmajfault",
  "workingset_refault",
  "workingset_activate",
  "workingset_nodereclaim",
  "pgrefill",
  "pgscan",
  "pgsteal",
  "pgactivate",
  "pgdeactivate",
  "pglazyfree",
  "pglazyfreed",
  "thp_fault_alloc",
  "thp_collapse_alloc",
];

/** v1: current and highest use, limit, and the lines of `memory.stat`; empty when the cgroup is gone. */
export function legacyMemory(directory: string): MemoryStats {
  const usage = readNumber(`${directory}/memory.usage_in_bytes`);
  if (usage === undefined) return {};
  const lines = readKeyed(`${directory}/memory.stat`);
  const wanted = LEGACY_LINES.flatMap((key) => [key, `total_${key}`]);
  return {
    usage,
    max_usage: readNumber(`${directory}/memory.max_usage_in_bytes`) ?? 0,
    stats: Object.fromEntries(
      [...lines].filter(([key]) => wanted.includes(key) || key.startsWith("hierarchical_")),
    ),
    ...failures(readNumber(`${directory}/memory.failcnt`)),
    limit: orMachine(readNumber(`${directory}/memory.limit_in_bytes`)),
  };
}

/** v2: the same, without the highest use. */
export function unifiedMemory(directory: string): MemoryStats {
  const usage = readNumber(`${directory}/memory.current`);
  if (usage === undefined) return {};
  const lines = readKeyed(`${directory}/memory.stat`);
  return {
    usage,
    stats: Object.fromEntries(UNIFIED_LINES.map((key) => [key, line(lines, key)])),
    ...failures(readKeyed(`${directory}/memory.events`).get("oom")),
    limit: orMachine(readNumber(`${directory}/memory.max`)),
  };
}

/** Docker leaves a zero out. */
const failures = (count = 0): Pick<MemoryStats, "failcnt"> => (count === 0 ? {} : { failcnt: count });

/** Without a limit the machine's memory is one. */
const orMachine = (limit = Number.POSITIVE_INFINITY): number => Math.min(limit, totalmem());

/** Since Linux 5.9 some counters are kept apart for anonymous and file pages. */
function line(lines: ReadonlyMap<string, number>, key: string): number {
  return lines.get(key) ?? (lines.get(`${key}_anon`) ?? 0) + (lines.get(`${key}_file`) ?? 0);
}
