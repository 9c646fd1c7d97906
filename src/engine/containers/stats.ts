import { NO_CPU_STATS, type Sample, sample } from "../../cgroup/stats.ts";
import { NO_BLKIO_STATS } from "../../cgroup/stats-blkio.ts";
import { now } from "../../container/time.ts";
import type { Stats } from "../../wire/stats.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { cgroupOf } from "./freeze.ts";

/** Of what does not run. */
const NOTHING: Sample = {
  cpu_stats: NO_CPU_STATS,
  memory_stats: {},
  pids_stats: {},
  blkio_stats: NO_BLKIO_STATS,
};

/** What a container uses now; `before` is the sample that processor time is compared with. */
export function stats(context: Context, container: Container, before: Stats | null): Stats {
  const { record, running } = container;
  const own = record.host.NetworkMode !== "host";
  return {
    name: `/${record.name}`,
    id: record.id,
    read: now(),
    preread: before?.read ?? "0001-01-01T00:00:00Z",
    precpu_stats: before?.cpu_stats ?? NO_CPU_STATS,
    num_procs: 0,
    storage_stats: {},
    ...(running
      ? sample(context.cgroups.layout, cgroupOf(context, container), own ? running.pid : undefined)
      : NOTHING),
  };
}
