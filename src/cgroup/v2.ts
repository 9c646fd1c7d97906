import type { BlockThrottle, Resources } from "../oci/runtime/resources.ts";
import { rdma, type Writer, writes } from "./v1.ts";
import { blockWeightToIo, orMax, sharesToWeight, swapAlone } from "./weights.ts";

/**
 * cgroup v2: the writes of each controller into a fresh directory, in the order the kernel accepts them.
 * Rules: Documentation/admin-guide/cgroup-v2.rst.
 */

type Pair = Parameters<typeof writes>[1][number];

const cpu: Writer = (directory, { cpu }) => {
  if (cpu === undefined) return [];
  const { quota, period } = cpu;
  const limited = quota !== undefined && quota > 0;
  const max = quota || period ? `${limited ? quota : "max"} ${period || 100_000}` : undefined;
  return writes(directory, [
    ["cpu.idle", cpu.idle, "cpu.idle"],
    // An idle group has no weight of its own: writing one is refused.
    ["cpu.weight", cpu.idle === 1 ? undefined : sharesToWeight(cpu.shares ?? 0) || undefined, "cpu.shares"],
    ["cpu.max", max, quota ? "cpu.quota" : "cpu.period"],
    ["cpu.max.burst", cpu.burst, "cpu.burst"],
  ]);
};

const cpuset: Writer = (directory, { cpu }) =>
  writes(directory, [
    ["cpuset.cpus", cpu?.cpus || undefined, "cpu.cpus"],
    ["cpuset.mems", cpu?.mems || undefined, "cpu.mems"],
  ]);

const memory: Writer = (directory, { memory }, files) => {
  if (memory === undefined) return [];
  const swap = swapAlone(memory.limit || undefined, memory.swap);
  // A kernel without swap accounting has no such file; "none" and "no limit" are then what it does anyway.
  const writable = files.has("memory.swap.max") || (swap !== "max" && swap !== "0");
  return writes(directory, [
    ["memory.swap.max", writable ? swap : undefined, "memory.swap"],
    ["memory.max", memory.limit ? orMax(memory.limit) : undefined, "memory.limit"],
    ["memory.low", memory.reservation ? orMax(memory.reservation) : undefined, "memory.reservation"],
  ]);
};

const pids: Writer = (directory, { pids }) =>
  writes(directory, [
    ["pids.max", pids?.limit === undefined ? undefined : pids.limit > 0 ? pids.limit : "max", "pids.limit"],
  ]);

const io: Writer = (directory, { blockIO }, files) => {
  if (blockIO === undefined) return [];
  const { weight, weightDevice = [] } = blockIO;
  const bfq = files.has("io.bfq.weight");
  const weightOf = (value: number) => (bfq ? value : blockWeightToIo(value));
  const file = bfq ? "io.bfq.weight" : "io.weight";
  const throttle = (key: string, field: string, devices: readonly BlockThrottle[] = []): Pair[] =>
    // v1 lifts a limit with 0, v2 with "max".
    devices.map(({ major, minor, rate }) => [
      "io.max",
      `${major}:${minor} ${key}=${rate === 0 ? "max" : rate}`,
      field,
    ]);
  return writes(directory, [
    [file, weight ? weightOf(weight) : undefined, "blockIO.weight"],
    ...weightDevice.map(
      ({ major, minor, weight }): Pair => [
        file,
        weight === undefined ? undefined : `${major}:${minor} ${weightOf(weight)}`,
        "blockIO.weightDevice",
      ],
    ),
    ...throttle("rbps", "blockIO.throttleReadBpsDevice", blockIO.throttleReadBpsDevice),
    ...throttle("wbps", "blockIO.throttleWriteBpsDevice", blockIO.throttleWriteBpsDevice),
    ...throttle("riops", "blockIO.throttleReadIOPSDevice", blockIO.throttleReadIOPSDevice),
    ...throttle("wiops", "blockIO.throttleWriteIOPSDevice", blockIO.throttleWriteIOPSDevice),
  ]);
};

const hugetlb: Writer = (directory, { hugepageLimits = [] }, files) =>
  writes(
    directory,
    hugepageLimits.flatMap(({ pageSize, limit }): Pair[] => {
      const reserved = `hugetlb.${pageSize}.rsvd.max`;
      const pair: Pair = [`hugetlb.${pageSize}.max`, limit, "hugepageLimits"];
      return files.has(reserved) ? [pair, [reserved, limit, "hugepageLimits"]] : [pair];
    }),
  );

/** By controller. */
export const V2: Readonly<Record<string, Writer>> = { cpuset, cpu, memory, pids, io, hugetlb, rdma };

/** The `unified` map: file name → value, as it is. */
export function unifiedWrites(directory: string, { unified = {} }: Resources) {
  return writes(
    directory,
    Object.entries(unified).map(([file, value]): Pair => [file, value, `unified.${file}`]),
  );
}
