import type { BlkioEntry, BlkioStats } from "../wire/stats.ts";
import { controllerDirectory, type Layout } from "./layout.ts";
import { readKernel } from "./read.ts";

/** Nothing is counted: on v2 most of it, and of what does not run all of it. */
export const NO_BLKIO_STATS: BlkioStats = {
  io_service_bytes_recursive: null,
  io_serviced_recursive: null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
};

/** What the block devices did for `cgroup`. */
export function blkioStats(layout: Layout, cgroup: string): BlkioStats {
  const io = controllerDirectory(layout, "io", cgroup);
  const blkio = controllerDirectory(layout, "blkio", cgroup);
  if (blkio !== undefined) return legacy(blkio);
  if (io === undefined) return NO_BLKIO_STATS;
  return { ...NO_BLKIO_STATS, io_service_bytes_recursive: parseIoStat(readKernel(`${io}/io.stat`)) };
}

/** The throttle files count whatever scheduler a device has; the others are CFQ's, gone since Linux 5.0. */
function legacy(directory: string): BlkioStats {
  const read = (name: string) => parseBlkio(readKernel(`${directory}/blkio.${name}`));
  return {
    io_service_bytes_recursive: read("throttle.io_service_bytes_recursive"),
    io_serviced_recursive: read("throttle.io_serviced_recursive"),
    io_queue_recursive: [],
    io_service_time_recursive: [],
    io_wait_time_recursive: [],
    io_merged_recursive: [],
    io_time_recursive: [],
    sectors_recursive: [],
  };
}

/** v1: "253:0 Read 4096" lines, and a last one "Total 4096" that is nobody's. */
export function parseBlkio(text: string): BlkioEntry[] {
  return [...text.matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)].map(([, major, minor, op, value]) => ({
    major: Number(major),
    minor: Number(minor),
    op: op ?? "",
    value: Number(value),
  }));
}

/** v2: "253:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0". */
export function parseIoStat(text: string): BlkioEntry[] {
  return [...text.matchAll(/^(\d+):(\d+) rbytes=(\d+) wbytes=(\d+)/gm)].flatMap(
    ([, major, minor, read, write]) => {
      const device = { major: Number(major), minor: Number(minor) };
      return [
        { ...device, op: "read", value: Number(read) },
        { ...device, op: "write", value: Number(write) },
      ];
    },
  );
}
