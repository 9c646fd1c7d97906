import { rlimitName } from "../../kernel/rlimits.ts";
import type { HostConfig, HostResources } from "../../wire/container.ts";

/** What the machine has; lists as the kernel writes them: `0-3,8`. */
export interface Machine {
  readonly cpus: number;
  readonly cpusetCpus: string;
  readonly cpusetMems: string;
}

/** Below this, containers could not even start. */
const LEAST_MEMORY = 6 * 1024 * 1024;
/** Larger numbers in a list of processors or memory nodes are no numbers of theirs. */
const MOST_CPUSET = 8192;

/** What is wrong with the limits, in Docker's words; with `update` for a container that has limits already. */
export function wrongResources(
  host: HostConfig & HostResources,
  machine: Machine,
  update = false,
): string | undefined {
  return (
    wrongMemory(host, update) ?? wrongCpu(host, machine) ?? wrongCpuset(host, machine) ?? wrongBlockIo(host)
  );
}

function wrongMemory(host: HostConfig & HostResources, update: boolean): string | undefined {
  const { Memory: memory = 0, MemorySwap: swap = 0, MemoryReservation: reservation = 0 } = host;
  if (memory !== 0 && memory < LEAST_MEMORY) return "Minimum memory limit allowed is 6MB";
  if (memory > 0 && swap > 0 && swap < memory) {
    return "Minimum memoryswap limit should be larger than memory limit, see usage";
  }
  if (memory === 0 && swap > 0 && !update) {
    return "You should always set the Memory limit when using Memoryswap limit, see usage";
  }
  const swappiness = host.MemorySwappiness ?? -1;
  if (swappiness < -1 || swappiness > 100) {
    return `Invalid value: ${swappiness}, valid memory swappiness range is 0-100`;
  }
  if (reservation > 0 && reservation < LEAST_MEMORY) return "Minimum memory reservation allowed is 6MB";
  if (memory > 0 && reservation > memory) {
    return "Minimum memory limit can not be less than memory reservation limit, see usage";
  }
  const score = host.OomScoreAdj ?? 0;
  if (score < -1000 || score > 1000)
    return `Invalid value ${score}, range for oom score adj is [-1000, 1000]`;
  return (host.ShmSize ?? 0) < 0 ? "SHM size can not be less than 0" : undefined;
}

function wrongCpu(host: HostResources, { cpus }: Machine): string | undefined {
  const { NanoCpus: nano = 0, CpuPeriod: period = 0, CpuQuota: quota = 0, CpuShares: shares = 0 } = host;
  if (nano > 0 && period > 0) return "Conflicting options: Nano CPUs and CPU Period cannot both be set";
  if (nano > 0 && quota > 0) return "Conflicting options: Nano CPUs and CPU Quota cannot both be set";
  if (nano < 0 || nano > cpus * 1e9) {
    return `range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`;
  }
  if (shares < 0) return `invalid CPU shares (${shares}): value must be a positive integer`;
  if (period !== 0 && (period < 1000 || period > 1_000_000)) {
    return "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)";
  }
  if (quota > 0 && quota < 1000) return "CPU cfs quota can not be less than 1ms (i.e. 1000)";
  const { CpuRealtimeRuntime: runtime = 0, CpuRealtimePeriod: realtimePeriod = 0 } = host;
  if (realtimePeriod !== 0 && runtime > realtimePeriod) {
    return "cpu real-time runtime cannot be higher than cpu real-time period";
  }
  return undefined;
}

function wrongCpuset(host: HostResources, machine: Machine): string | undefined {
  for (const [asked = "", available, what, name] of [
    [host.CpusetCpus, machine.cpusetCpus, "CPUs", "cpus"],
    [host.CpusetMems, machine.cpusetMems, "memory nodes", "mems"],
  ] as const) {
    const numbers = cpuset(asked);
    if (numbers === undefined) {
      return `Invalid value ${asked.slice(0, 80)} for cpuset ${name}: invalid format: ${asked.slice(0, 80)}`;
    }
    const there = cpuset(available) ?? new Set();
    if ([...numbers].some((number) => !there.has(number))) {
      return `Requested ${what} are not available - requested ${asked.slice(0, 80)}, available: ${available}`;
    }
  }
  return undefined;
}

/** The numbers of `0-2,4`; undefined for anything else. */
function cpuset(text: string): ReadonlySet<number> | undefined {
  const numbers = new Set<number>();
  for (const part of text === "" ? [] : text.split(",")) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? first);
    if (!match || last < first || last > MOST_CPUSET) return undefined;
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return numbers;
}

function wrongBlockIo(host: HostResources): string | undefined {
  const weight = host.BlkioWeight ?? 0;
  if (weight !== 0 && (weight < 10 || weight > 1000)) return "Range of blkio weight is from 10 to 1000";
  if (host.IOMaximumIOps) return "invalid option: QoS maximum IOPs configuration is not supported on linux";
  if (host.IOMaximumBandwidth) {
    return "invalid option: QoS maximum bandwidth configuration is not supported on linux";
  }
  const weights = (host.BlkioWeightDevice ?? []).map(({ Weight = 0 }) => Weight);
  return weights.some((one) => one < 10 || one > 1000)
    ? "Range of blkio weight is from 10 to 1000"
    : undefined;
}

/** What is wrong with the resource limits of processes (setrlimit(2)); the kernel would refuse them at the start. */
export function wrongUlimit(host: HostResources): string | undefined {
  for (const { Name: name = "", Soft: soft = 0, Hard: hard = 0 } of host.Ulimits ?? []) {
    if (rlimitName(name) === undefined) return `invalid ulimit type: ${name.slice(0, 40)}`;
    const unlimited = (value: number) => (value < 0 ? Infinity : value);
    if (unlimited(soft) > unlimited(hard)) {
      return `ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`;
    }
  }
  return undefined;
}

/** What Docker warns of when a container is made. */
export function resourceWarnings(host: HostResources): readonly string[] {
  const warnings: string[] = [];
  if (host.OomKillDisable && !host.Memory) {
    warnings.push(
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    );
  }
  if (host.CpuPercent) warnings.push("linux does not support CPU percent. Percent discarded.");
  if (host.CpuCount) warnings.push("linux does not support CPU count: use --cpus. Count discarded.");
  if (host.KernelMemory || host.KernelMemoryTCP) {
    warnings.push("Kernel memory limits are gone from the kernel. Limitation discarded.");
  }
  return warnings;
}
