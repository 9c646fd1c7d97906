import type { HostResources } from "../../wire/container.ts";
import { Failure } from "../failure.ts";
import type { Values } from "../flags/flag.ts";
import type { containerFlags } from "./flags.ts";

type LimitName =
  | "blkio-weight"
  | "cpu-period"
  | "cpu-quota"
  | "cpu-rt-period"
  | "cpu-rt-runtime"
  | "cpu-shares"
  | "cpus"
  | "cpuset-cpus"
  | "cpuset-mems"
  | "memory"
  | "memory-reservation"
  | "memory-swap";

/** The limits that `run` sets and `update` changes; 0 and "" say nothing. */
export function limits(options: Pick<Values<typeof containerFlags>, LimitName>): HostResources {
  return {
    BlkioWeight: options["blkio-weight"] ?? 0,
    CpuPeriod: options["cpu-period"] ?? 0,
    CpuQuota: options["cpu-quota"] ?? 0,
    CpuRealtimePeriod: options["cpu-rt-period"] ?? 0,
    CpuRealtimeRuntime: options["cpu-rt-runtime"] ?? 0,
    CpuShares: options["cpu-shares"] ?? 0,
    CpusetCpus: options["cpuset-cpus"] ?? "",
    CpusetMems: options["cpuset-mems"] ?? "",
    Memory: options.memory ?? 0,
    MemoryReservation: options["memory-reservation"] ?? 0,
    MemorySwap: options["memory-swap"] ?? 0,
    NanoCpus: options.cpus ?? 0,
  };
}

/** The limits and devices of a container. Only what was asked for is sent: the rest is the engine's to choose. */
export function resources(options: Values<typeof containerFlags>): HostResources {
  const swappiness = options["memory-swappiness"];
  if (swappiness !== undefined && swappiness !== -1 && (swappiness < 0 || swappiness > 100))
    throw new Failure(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`, 125);
  const asked: HostResources = {
    ...limits(options),
    BlkioWeightDevice: options["blkio-weight-device"],
    BlkioDeviceReadBps: options["device-read-bps"],
    BlkioDeviceReadIOps: options["device-read-iops"],
    BlkioDeviceWriteBps: options["device-write-bps"],
    BlkioDeviceWriteIOps: options["device-write-iops"],
    CgroupParent: options["cgroup-parent"] ?? "",
    DeviceCgroupRules: options["device-cgroup-rule"],
    Devices: options.device,
    OomKillDisable: options["oom-kill-disable"],
    PidsLimit: options["pids-limit"] ?? 0,
    Ulimits: options.ulimit,
    ...(options.gpus !== undefined && { DeviceRequests: [gpus(options.gpus)] }),
  };
  // Zero says something here.
  const swaps = swappiness !== undefined && swappiness !== -1;
  return { ...said(asked), ...(swaps && { MemorySwappiness: swappiness }) };
}

function gpus(text: string) {
  const count = text === "all" ? -1 : Number(text);
  if (!Number.isInteger(count))
    throw new Failure(`invalid argument "${text}" for "--gpus" flag: write "all" or a number`, 125);
  return { Driver: "", Count: count, DeviceIDs: null, Capabilities: [["gpu"]], Options: {} };
}

/** Without what says nothing: zero, false, "", and empty lists and maps. */
export function said<T extends object>(fields: T): T {
  const kept = Object.entries(fields).filter(
    ([, value]) => value && (typeof value !== "object" || Object.keys(value).length > 0),
  );
  return Object.fromEntries(kept) as T;
}
