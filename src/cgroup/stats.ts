import type { BlkioStats, CpuStats, MemoryStats, NetworkStats, PidsStats, RawNumber } from "../wire/stats.ts";
import { controllerDirectory, type Layout } from "./layout.ts";
import { readKernel, readKeyed, readNumber } from "./read.ts";
import { blkioStats } from "./stats-blkio.ts";
import { legacyMemory, unifiedMemory } from "./stats-memory.ts";

/** The part of Docker's statistics that comes from the kernel. */
export interface Sample {
  readonly cpu_stats: CpuStats;
  readonly memory_stats: MemoryStats;
  readonly pids_stats: PidsStats;
  readonly blkio_stats: BlkioStats;
  readonly networks?: Readonly<Record<string, NetworkStats>>;
}

/**
 * A sample of `cgroup`; parts that nothing counts are empty, as are all of them when it is gone. `pid` is a process
 * with the container's own network, if it has one: its interfaces are counted.
 */
export function sample(layout: Layout, cgroup: string, pid?: number): Sample {
  const networks = pid === undefined ? undefined : readNetworks(readKernel(`/proc/${pid}/net/dev`));
  return {
    cpu_stats: { ...containerCpu(layout, cgroup), ...machineCpu(readKernel("/proc/stat")) },
    memory_stats: memoryStats(layout, cgroup),
    pids_stats: pidsStats(layout, cgroup),
    blkio_stats: blkioStats(layout, cgroup),
    ...(networks === undefined ? {} : { networks }),
  };
}

/** What `precpu_stats` is when there is no sample before. */
export const NO_CPU_STATS: CpuStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

/** USER_HZ is 100 on every architecture Linux has today: a tick is 10 ms. */
const NANOSECONDS_A_TICK = 10_000_000;

/** `/proc/stat`: user, nice, system, idle, iowait, irq and softirq of all processors, as Docker adds them. */
function machineCpu(text: string): Pick<CpuStats, "system_cpu_usage" | "online_cpus"> {
  const lines = text.slice(0, text.indexOf("intr")).split("\n");
  const ticks = (lines[0] ?? "").split(/ +/).slice(1, 8);
  const sum = ticks.reduce((total, each) => total + Number(each), 0);
  return {
    system_cpu_usage: sum * NANOSECONDS_A_TICK,
    online_cpus: lines.filter((line) => /^cpu\d/.test(line)).length,
  };
}

/** v2's `cpu.stat` counts microseconds. */
function unifiedCpu(directory: string): CpuStats {
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

function containerCpu(layout: Layout, cgroup: string): CpuStats {
  const cpu = controllerDirectory(layout, "cpu", cgroup);
  const accounting = controllerDirectory(layout, "cpuacct", cgroup);
  if (accounting === undefined) return cpu === undefined ? NO_CPU_STATS : unifiedCpu(cpu);
  const throttling = cpu === undefined ? new Map<string, number>() : readKeyed(`${cpu}/cpu.stat`);
  const modes = readKeyed(`${accounting}/cpuacct.stat`);
  const percpu = readKernel(`${accounting}/cpuacct.usage_percpu`).trim();
  return {
    cpu_usage: {
      total_usage: readNumber(`${accounting}/cpuacct.usage`) ?? 0,
      ...(percpu === "" ? {} : { percpu_usage: percpu.split(" ").map(Number) }),
      usage_in_kernelmode: (modes.get("system") ?? 0) * NANOSECONDS_A_TICK,
      usage_in_usermode: (modes.get("user") ?? 0) * NANOSECONDS_A_TICK,
    },
    throttling_data: {
      periods: throttling.get("nr_periods") ?? 0,
      throttled_periods: throttling.get("nr_throttled") ?? 0,
      throttled_time: throttling.get("throttled_time") ?? 0,
    },
  };
}

function memoryStats(layout: Layout, cgroup: string): MemoryStats {
  const directory = controllerDirectory(layout, "memory", cgroup);
  if (directory === undefined) return {};
  return layout.controllers.get("memory")?.version === 2 ? unifiedMemory(directory) : legacyMemory(directory);
}

/** 2^64-1, which is what Docker makes of v2's "max". */
const NO_LIMIT = (JSON as unknown as { rawJSON(text: string): RawNumber }).rawJSON("18446744073709551615");

function pidsStats(layout: Layout, cgroup: string): PidsStats {
  const directory = controllerDirectory(layout, "pids", cgroup);
  const current = directory === undefined ? undefined : readNumber(`${directory}/pids.current`);
  if (directory === undefined || current === undefined) return {};
  const v2 = layout.controllers.get("pids")?.version === 2;
  const limit = readNumber(`${directory}/pids.max`) ?? (v2 ? NO_LIMIT : undefined);
  return { current, ...(limit === undefined ? {} : { limit }) };
}

/** `/proc/<pid>/net/dev` without the loopback; undefined where there is no other interface. */
export function readNetworks(text: string): Record<string, NetworkStats> | undefined {
  const networks: Record<string, NetworkStats> = {};
  for (const line of text.split("\n").slice(2)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim();
    if (colon < 0 || name === "lo") continue;
    const values = line
      .slice(colon + 1)
      .trim()
      .split(/ +/)
      .map(Number);
    const at = (index: number) => values[index] ?? 0;
    networks[name] = {
      rx_bytes: at(0),
      rx_packets: at(1),
      rx_errors: at(2),
      rx_dropped: at(3),
      tx_bytes: at(8),
      tx_packets: at(9),
      tx_errors: at(10),
      tx_dropped: at(11),
    };
  }
  return Object.keys(networks).length === 0 ? undefined : networks;
}
