import { totalmem } from "node:os";
import type { CpuStats, MemoryStats } from "../wire/stats.ts";
import { readKeyed, readNumber } from "./read.ts";

/** The lines of v2's `memory.stat` that Docker passes on; clients compute "used" from them. */
const MEMORY_LINES = [
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
] as const;

/** `cpu.stat` counts microseconds. */
export function unifiedCpu(directory: string): CpuStats {
  const stat = readKeyed(`${directory}/cpu.stat`);
  const at = (key: string) => stat.get(key) ?? 0;
  return {
    cpu_usage: {
      total_usage: at("usage_usec") * 1000,
      usage_in_kernelmode: at("system_usec") * 1000,
      usage_in_usermode: at("user_usec") * 1000,
    },
    throttling_data: {
      periods: at("nr_periods"),
      throttled_periods: at("nr_throttled"),
      throttled_time: at("throttled_usec") * 1000,
    },
  };
}

/** Current use, limit and the lines of `memory.stat`; empty when the cgroup is gone. */
export function unifiedMemory(directory: string): MemoryStats {
  const usage = readNumber(`${directory}/memory.current`);
  if (usage === undefined) return {};
  const lines = readKeyed(`${directory}/memory.stat`);
  const failures = readKeyed(`${directory}/memory.events`).get("oom") ?? 0;
  return {
    usage,
    stats: Object.fromEntries(MEMORY_LINES.map((key) => [key, line(lines, key)])),
    // Docker leaves a zero out.
    ...(failures === 0 ? {} : { failcnt: failures }),
    limit: Math.min(readNumber(`${directory}/memory.max`) ?? Infinity, totalmem()),
  };
}

/** Since Linux 5.9 some counters are kept apart for anonymous and file pages. */
function line(lines: ReadonlyMap<string, number>, key: string): number {
  return lines.get(key) ?? (lines.get(`${key}_anon`) ?? 0) + (lines.get(`${key}_file`) ?? 0);
}
