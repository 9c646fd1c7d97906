import type { BlockThrottle, DeviceRule, Resources } from "../oci/runtime/resources.ts";
import { eachType, effectiveRules } from "./device-rules.ts";
import type { Names } from "./parent.ts";
import type { Write } from "./plan.ts";

/**
 * cgroup v1: the writes of each controller into a fresh directory, in the order the kernel accepts them.
 * Rules: Documentation/admin-guide/cgroup-v1/*.rst. `files` are the names a cgroup of that tree has.
 */
export type Writer = (directory: string, resources: Resources, files: Names) => Write[];

type Pair = readonly [file: string, value: number | string | undefined, field: string];

/** The pairs that have a value, as writes. */
export function writes(directory: string, pairs: readonly Pair[]): Write[] {
  return pairs.flatMap(([file, value, field]) =>
    value === undefined
      ? []
      : [{ file: `${directory}/${file}`, value: String(value), field: `linux.resources.${field}` }],
  );
}

const cpu: Writer = (directory, { cpu }) => {
  if (cpu === undefined) return [];
  return writes(directory, [
    ["cpu.shares", cpu.shares || undefined, "cpu.shares"],
    ["cpu.idle", cpu.idle, "cpu.idle"],
    // The period is first: a runtime longer than the period is refused.
    ["cpu.rt_period_us", cpu.realtimePeriod || undefined, "cpu.realtimePeriod"],
    ["cpu.rt_runtime_us", cpu.realtimeRuntime || undefined, "cpu.realtimeRuntime"],
    ["cpu.cfs_period_us", cpu.period || undefined, "cpu.period"],
    ["cpu.cfs_quota_us", cpu.quota || undefined, "cpu.quota"],
    // A burst above the quota is refused, so it is last.
    ["cpu.cfs_burst_us", cpu.burst, "cpu.burst"],
  ]);
};

const cpuset: Writer = (directory, { cpu }) =>
  writes(directory, [
    ["cpuset.cpus", cpu?.cpus || undefined, "cpu.cpus"],
    ["cpuset.mems", cpu?.mems || undefined, "cpu.mems"],
  ]);

const memory: Writer = (directory, { memory }) => {
  if (memory === undefined) return [];
  // Memory alone may never exceed memory and swap together, which starts as unlimited: so memory is first.
  // A limit of "none" for memory alone takes the sum along, as runc does.
  const both = memory.swap || (memory.limit === -1 ? -1 : undefined);
  return writes(directory, [
    ["memory.limit_in_bytes", memory.limit || undefined, "memory.limit"],
    ["memory.memsw.limit_in_bytes", both, "memory.swap"],
    ["memory.soft_limit_in_bytes", memory.reservation || undefined, "memory.reservation"],
    ["memory.kmem.tcp.limit_in_bytes", memory.kernelTCP || undefined, "memory.kernelTCP"],
    ["memory.oom_control", memory.disableOOMKiller ? 1 : undefined, "memory.disableOOMKiller"],
    ["memory.swappiness", memory.swappiness === -1 ? undefined : memory.swappiness, "memory.swappiness"],
  ]);
};

const pids: Writer = (directory, { pids }) =>
  writes(directory, [
    ["pids.max", pids?.limit === undefined ? undefined : pids.limit > 0 ? pids.limit : "max", "pids.limit"],
  ]);

const blkio: Writer = (directory, { blockIO }, files) => {
  if (blockIO === undefined) return [];
  // BFQ has its own name for the weight on kernels where CFQ is gone (5.0 and later).
  const prefix = files.has("blkio.weight") ? "blkio" : "blkio.bfq";
  const throttle = (name: string, field: string, devices: readonly BlockThrottle[] = []): Pair[] =>
    devices.map(({ major, minor, rate }) => [`blkio.throttle.${name}`, `${major}:${minor} ${rate}`, field]);
  return writes(directory, [
    [`${prefix}.weight`, blockIO.weight || undefined, "blockIO.weight"],
    ["blkio.leaf_weight", blockIO.leafWeight || undefined, "blockIO.leafWeight"],
    ...(blockIO.weightDevice ?? []).map(
      ({ major, minor, weight }): Pair => [
        `${prefix}.weight_device`,
        weight === undefined ? undefined : `${major}:${minor} ${weight}`,
        "blockIO.weightDevice",
      ],
    ),
    ...(blockIO.weightDevice ?? []).map(
      ({ leafWeight, major, minor }): Pair => [
        "blkio.leaf_weight_device",
        leafWeight === undefined ? undefined : `${major}:${minor} ${leafWeight}`,
        "blockIO.weightDevice",
      ],
    ),
    ...throttle("read_bps_device", "blockIO.throttleReadBpsDevice", blockIO.throttleReadBpsDevice),
    ...throttle("write_bps_device", "blockIO.throttleWriteBpsDevice", blockIO.throttleWriteBpsDevice),
    ...throttle("read_iops_device", "blockIO.throttleReadIOPSDevice", blockIO.throttleReadIOPSDevice),
    ...throttle("write_iops_device", "blockIO.throttleWriteIOPSDevice", blockIO.throttleWriteIOPSDevice),
  ]);
};

/** "c 1:3 rwm", as `devices.allow` and `devices.deny` take it; one rule a write. */
export function deviceText(rule: DeviceRule): string {
  const type = rule.type ?? "a";
  if (type === "a") return "a";
  const number = (value: number | undefined) => (value === undefined || value < 0 ? "*" : String(value));
  return `${type} ${number(rule.major)}:${number(rule.minor)} ${rule.access || "rwm"}`;
}

const devices: Writer = (directory, { devices }) =>
  // A new directory inherits its parent's list, which allows everything: the first rule denies it all.
  writes(
    directory,
    (devices === undefined ? [] : eachType(effectiveRules(devices))).map(
      (rule): Pair => [rule.allow ? "devices.allow" : "devices.deny", deviceText(rule), "devices"],
    ),
  );

const hugetlb: Writer = (directory, { hugepageLimits = [] }, files) =>
  writes(
    directory,
    hugepageLimits.flatMap(({ pageSize, limit }): Pair[] => {
      const reserved = `hugetlb.${pageSize}.rsvd.limit_in_bytes`;
      const pair: Pair = [`hugetlb.${pageSize}.limit_in_bytes`, limit, "hugepageLimits"];
      return files.has(reserved) ? [pair, [reserved, limit, "hugepageLimits"]] : [pair];
    }),
  );

const netCls: Writer = (directory, { network }) =>
  writes(directory, [["net_cls.classid", network?.classID, "network.classID"]]);

const netPrio: Writer = (directory, { network }) =>
  writes(
    directory,
    (network?.priorities ?? []).map(
      ({ name, priority }): Pair => ["net_prio.ifpriomap", `${name} ${priority}`, "network.priorities"],
    ),
  );

/** "mlx5_1 hca_handle=3 hca_object=10000", one device a write; v2 has the same file (cgroup-v1/rdma.rst). */
export const rdma: Writer = (directory, { rdma = {} }) =>
  writes(
    directory,
    Object.entries(rdma).map(([device, { hcaHandles, hcaObjects }]): Pair => {
      const handles = hcaHandles === undefined ? [] : [`hca_handle=${hcaHandles}`];
      const objects = hcaObjects === undefined ? [] : [`hca_object=${hcaObjects}`];
      return ["rdma.max", [device, ...handles, ...objects].join(" "), "rdma"];
    }),
  );

/** By controller. cpuset is first: without its cpus no process can be attached. */
export const V1: Readonly<Record<string, Writer>> = {
  cpuset,
  cpu,
  memory,
  pids,
  blkio,
  devices,
  hugetlb,
  net_cls: netCls,
  net_prio: netPrio,
  rdma,
};
