import { Refusal } from "../../oci/error.ts";
import type {
  BlockIo,
  BlockThrottle,
  CpuResources,
  MemoryResources,
  Resources,
} from "../../oci/runtime/resources.ts";
import type { HostConfig, HostResources } from "../../wire/container.ts";
import type { ThrottleDevice } from "../../wire/resources.ts";
import type { SpecFacts } from "./facts.ts";
import { type Origins, typedBytes } from "./origins.ts";

/** `--cpus` is written as a quota of this period, in microseconds. */
const PERIOD = 100_000;

/** The limits, devices aside. Only what was asked for is there; -1 is no limit. */
export function resourcesOf(host: HostConfig, facts: SpecFacts, origins: Origins): Resources {
  const part = origin(origins, "linux.resources");
  const cpu = cpuOf(host, part);
  const memory = memoryOf(host, facts, part);
  const blockIO = blockOf(host, facts, part);
  const pids = host.PidsLimit ?? 0;
  if (pids > 0) part("pids.limit", `--pids-limit ${pids}`);
  return {
    ...(empty(memory) ? {} : { memory }),
    ...(empty(cpu) ? {} : { cpu }),
    ...(pids > 0 ? { pids: { limit: pids } } : {}),
    ...(empty(blockIO) ? {} : { blockIO }),
  };
}

type Part = (name: string, option: string) => void;

function memoryOf(host: HostResources, { cgroupVersion }: SpecFacts, part: Part): MemoryResources {
  const memory: Record<string, number | boolean> = {};
  const set = (name: string, value: number | boolean, option: string) => {
    memory[name] = value;
    part(`memory.${name}`, option);
  };
  const { Memory: limit = 0, MemoryReservation: reservation = 0, MemorySwap: swap = 0 } = host;
  if (limit > 0) set("limit", limit, `--memory ${typedBytes(limit)}`);
  if (reservation > 0) set("reservation", reservation, `--memory-reservation ${typedBytes(reservation)}`);
  // Without a word on swap there is as much of it as of memory.
  if (swap > 0) set("swap", swap, `--memory-swap ${typedBytes(swap)}`);
  else if (swap === 0 && limit > 0) set("swap", limit * 2, `--memory ${typedBytes(limit)}`);
  else if (swap === -1 && limit > 0) set("swap", -1, "--memory-swap -1");
  const swappiness = host.MemorySwappiness ?? -1;
  // cgroup v2 has neither of these two.
  if (swappiness >= 0 && cgroupVersion === 1)
    set("swappiness", swappiness, `--memory-swappiness ${swappiness}`);
  if (host.OomKillDisable && cgroupVersion === 1) set("disableOOMKiller", true, "--oom-kill-disable");
  return memory;
}

function cpuOf(host: HostResources, part: Part): CpuResources {
  const cpu: Record<string, number | string> = {};
  const set = (name: string, value: number | string | undefined, option: string) => {
    if (!value) return;
    cpu[name] = value;
    part(`cpu.${name}`, `${option} ${value}`);
  };
  set("shares", host.CpuShares, "--cpu-shares");
  set("quota", host.CpuQuota, "--cpu-quota");
  set("period", host.CpuPeriod, "--cpu-period");
  set("realtimeRuntime", host.CpuRealtimeRuntime, "--cpu-rt-runtime");
  set("realtimePeriod", host.CpuRealtimePeriod, "--cpu-rt-period");
  set("cpus", host.CpusetCpus, "--cpuset-cpus");
  set("mems", host.CpusetMems, "--cpuset-mems");
  const nano = host.NanoCpus ?? 0;
  if (nano > 0) {
    const option = `--cpus ${nano / 1e9}`;
    cpu.period = PERIOD;
    cpu.quota = Math.trunc(nano / (1e9 / PERIOD));
    part("cpu.period", option);
    part("cpu.quota", option);
  }
  return cpu;
}

function blockOf(host: HostResources, facts: SpecFacts, part: Part): BlockIo {
  const weight = host.BlkioWeight ?? 0;
  if (weight > 0) part("blockIO.weight", `--blkio-weight ${weight}`);
  const throttle = (name: string, option: string, asked: readonly ThrottleDevice[] | null | undefined) => {
    const devices = (asked ?? []).map(({ Path: path = "", Rate: rate = 0 }, index): BlockThrottle => {
      part(`blockIO.${name}[${index}]`, `${option} ${path}:${/bps/.test(option) ? typedBytes(rate) : rate}`);
      return { ...numbers(facts, path), rate };
    });
    return devices.length > 0 ? { [name]: devices } : {};
  };
  const weights = (host.BlkioWeightDevice ?? []).map(({ Path: path = "", Weight = 0 }, index) => {
    part(`blockIO.weightDevice[${index}]`, `--blkio-weight-device ${path}:${Weight}`);
    return { ...numbers(facts, path), weight: Weight };
  });
  return {
    ...(weight > 0 ? { weight } : {}),
    ...(weights.length > 0 ? { weightDevice: weights } : {}),
    ...throttle("throttleReadBpsDevice", "--device-read-bps", host.BlkioDeviceReadBps),
    ...throttle("throttleWriteBpsDevice", "--device-write-bps", host.BlkioDeviceWriteBps),
    ...throttle("throttleReadIOPSDevice", "--device-read-iops", host.BlkioDeviceReadIOps),
    ...throttle("throttleWriteIOPSDevice", "--device-write-iops", host.BlkioDeviceWriteIOps),
  };
}

function numbers(facts: SpecFacts, path: string): { readonly major: number; readonly minor: number } {
  const [device] = facts.devices(path) ?? [];
  if (device?.path === path && device.type === "b")
    return { major: device.major ?? 0, minor: device.minor ?? 0 };
  const reason = device === undefined ? "no such file or directory" : "not a block device";
  throw new Refusal("invalid", `Cannot limit the block device ${path.slice(0, 200)}: ${reason}`);
}

function origin(origins: Origins, prefix: string): Part {
  return (name, option) => origins.add(`${prefix}.${name}`, option);
}

function empty(value: object): boolean {
  return Object.keys(value).length === 0;
}
