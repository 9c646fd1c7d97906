import type { BlkioEntry, Stats } from "../../wire/stats.ts";
import { binarySize, humanSize, shortId } from "../format/human.ts";
import type { Listing } from "../format/rows.ts";
import type { Fields } from "../format/value.ts";

export const usageListing: Listing = {
  columns:
    "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}",
  headers: {
    BlockIO: "BLOCK I/O",
    CPUPerc: "CPU %",
    Container: "CONTAINER",
    ID: "CONTAINER ID",
    MemPerc: "MEM %",
    MemUsage: "MEM USAGE / LIMIT",
    Name: "NAME",
    NetIO: "NET I/O",
    PIDs: "PIDS",
  },
  id: "ID",
};

/** A sample as `stats` shows it; without one, the container's row is dashes. */
export function usageRow(asked: string, it: Stats | undefined, truncate: boolean): Fields {
  if (!it) {
    const none = "--";
    return {
      BlockIO: none,
      CPUPerc: none,
      Container: asked,
      ID: none,
      MemPerc: none,
      MemUsage: "-- / --",
      Name: none,
      NetIO: none,
      PIDs: none,
    };
  }
  const used = memoryUsed(it);
  const limit = it.memory_stats.limit ?? 0;
  const networks = Object.values(it.networks ?? {});
  const io = it.blkio_stats.io_service_bytes_recursive ?? [];
  return {
    BlockIO: `${humanSize(moved(io, "read"))} / ${humanSize(moved(io, "write"))}`,
    CPUPerc: `${cpuPercent(it).toFixed(2)}%`,
    Container: asked,
    ID: truncate ? shortId(it.id ?? "") : (it.id ?? ""),
    MemPerc: `${(limit > 0 ? (used / limit) * 100 : 0).toFixed(2)}%`,
    MemUsage: `${binarySize(used)} / ${binarySize(limit)}`,
    Name: (it.name ?? "").replace(/^\//, ""),
    NetIO: `${humanSize(sum(networks.map((net) => net.rx_bytes)))} / ${humanSize(sum(networks.map((net) => net.tx_bytes)))}`,
    PIDs: String(it.pids_stats.current ?? 0),
  };
}

/** Share of one processor between the sample and the one before it; several busy processors add up. */
export function cpuPercent({ cpu_stats: now, precpu_stats: before }: Stats): number {
  const own = now.cpu_usage.total_usage - (before?.cpu_usage.total_usage ?? 0);
  const machine = (now.system_cpu_usage ?? 0) - (before?.system_cpu_usage ?? 0);
  const processors = now.online_cpus || (now.cpu_usage.percpu_usage ?? []).length;
  return own > 0 && machine > 0 ? (own / machine) * processors * 100 : 0;
}

/** Without the page cache that the kernel would give back first (docs of `docker stats`). */
export function memoryUsed({ memory_stats: { usage = 0, stats = {} } }: Stats): number {
  const cache = stats.total_inactive_file ?? stats.inactive_file ?? 0;
  return cache < usage ? usage - cache : usage;
}

function moved(entries: readonly BlkioEntry[], op: string): number {
  return sum(entries.filter((entry) => entry.op.toLowerCase() === op).map((entry) => entry.value));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
