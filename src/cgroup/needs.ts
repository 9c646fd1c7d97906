import type { Resources } from "../oci/runtime/resources.ts";

/** A limit, and the files of which the kernel must have one for it. */
export interface Need {
  /** Path in `linux.resources`. */
  readonly field: string;
  /** For people, at the start of a sentence. */
  readonly what: string;
  readonly asked: (resources: Resources) => boolean;
  readonly v1: { readonly controller: string; readonly files: readonly string[] };
  /** Absent where v2 has no such thing. */
  readonly v2?: { readonly controller: string; readonly files: readonly string[] };
  /** An error rather than a warning: Docker and runc refuse it as well. */
  readonly serious?: true;
  /** A warning even where nothing may be left out: the kernel has no use for it any more. */
  readonly obsolete?: true;
}

const some = (list: readonly unknown[] | undefined) => list !== undefined && list.length > 0;

const on = (controller: string, ...files: string[]) => ({ controller, files });

const throttle = (
  field:
    | "throttleReadBpsDevice"
    | "throttleWriteBpsDevice"
    | "throttleReadIOPSDevice"
    | "throttleWriteIOPSDevice",
  what: string,
  file: string,
): Need => ({
  field: `blockIO.${field}`,
  what,
  asked: ({ blockIO }) => some(blockIO?.[field]),
  v1: on("blkio", `blkio.throttle.${file}`),
  v2: on("io", "io.max"),
});

const weight = {
  v1: on("blkio", "blkio.weight", "blkio.bfq.weight"),
  v2: on("io", "io.weight", "io.bfq.weight"),
};

export const NEEDS: readonly Need[] = [
  {
    field: "memory.limit",
    what: "The memory limit",
    asked: ({ memory }) => Boolean(memory?.limit),
    v1: on("memory", "memory.limit_in_bytes"),
    v2: on("memory", "memory.max"),
  },
  {
    field: "memory.swap",
    what: "The limit of memory and swap",
    asked: ({ memory }) => (memory?.swap ?? 0) > 0,
    v1: on("memory", "memory.memsw.limit_in_bytes"),
    v2: on("memory", "memory.swap.max"),
  },
  {
    field: "memory.reservation",
    what: "The memory reservation",
    asked: ({ memory }) => Boolean(memory?.reservation),
    v1: on("memory", "memory.soft_limit_in_bytes"),
    v2: on("memory", "memory.low"),
  },
  {
    field: "memory.swappiness",
    what: "Memory swappiness",
    asked: ({ memory }) => (memory?.swappiness ?? -1) >= 0,
    v1: on("memory", "memory.swappiness"),
  },
  {
    field: "memory.disableOOMKiller",
    what: "Disabling the OOM killer",
    asked: ({ memory }) => memory?.disableOOMKiller === true,
    v1: on("memory", "memory.oom_control"),
  },
  {
    field: "memory.kernel",
    what: "The kernel memory limit",
    asked: ({ memory }) => Boolean(memory?.kernel),
    // Deprecated since Linux 5.4 and without effect since 5.16; runc and crun no longer write it either.
    v1: on("memory"),
    obsolete: true,
  },
  {
    field: "memory.kernelTCP",
    what: "The limit of kernel memory for TCP",
    asked: ({ memory }) => Boolean(memory?.kernelTCP),
    v1: on("memory", "memory.kmem.tcp.limit_in_bytes"),
  },
  {
    field: "cpu.shares",
    what: "The CPU share",
    asked: ({ cpu }) => Boolean(cpu?.shares),
    v1: on("cpu", "cpu.shares"),
    v2: on("cpu", "cpu.weight"),
  },
  {
    field: "cpu.quota",
    what: "The CPU quota",
    asked: ({ cpu }) => Boolean(cpu?.quota),
    v1: on("cpu", "cpu.cfs_quota_us"),
    v2: on("cpu", "cpu.max"),
    serious: true,
  },
  {
    field: "cpu.period",
    what: "The CPU period",
    asked: ({ cpu }) => Boolean(cpu?.period),
    v1: on("cpu", "cpu.cfs_period_us"),
    v2: on("cpu", "cpu.max"),
    serious: true,
  },
  {
    field: "cpu.burst",
    what: "The CPU burst",
    asked: ({ cpu }) => cpu?.burst !== undefined,
    v1: on("cpu", "cpu.cfs_burst_us"),
    v2: on("cpu", "cpu.max.burst"),
  },
  {
    field: "cpu.idle",
    what: "The idle scheduling class of a cgroup",
    asked: ({ cpu }) => cpu?.idle !== undefined,
    v1: on("cpu", "cpu.idle"),
    v2: on("cpu", "cpu.idle"),
  },
  {
    field: "cpu.realtimeRuntime",
    what: "The realtime CPU time",
    asked: ({ cpu }) => Boolean(cpu?.realtimeRuntime),
    v1: on("cpu", "cpu.rt_runtime_us"),
    serious: true,
  },
  {
    field: "cpu.realtimePeriod",
    what: "The realtime CPU period",
    asked: ({ cpu }) => Boolean(cpu?.realtimePeriod),
    v1: on("cpu", "cpu.rt_period_us"),
    serious: true,
  },
  {
    field: "cpu.cpus",
    what: "The set of CPUs",
    asked: ({ cpu }) => Boolean(cpu?.cpus),
    v1: on("cpuset", "cpuset.cpus"),
    v2: on("cpuset", "cpuset.cpus"),
  },
  {
    field: "cpu.mems",
    what: "The set of memory nodes",
    asked: ({ cpu }) => Boolean(cpu?.mems),
    v1: on("cpuset", "cpuset.mems"),
    v2: on("cpuset", "cpuset.mems"),
  },
  {
    field: "pids.limit",
    what: "The limit of processes",
    asked: ({ pids }) => (pids?.limit ?? 0) > 0,
    v1: on("pids", "pids.max"),
    v2: on("pids", "pids.max"),
  },
  {
    field: "blockIO.weight",
    what: "The block I/O weight",
    asked: ({ blockIO }) => Boolean(blockIO?.weight),
    ...weight,
  },
  {
    field: "blockIO.leafWeight",
    what: "The block I/O leaf weight",
    asked: ({ blockIO }) => Boolean(blockIO?.leafWeight),
    v1: on("blkio", "blkio.leaf_weight"),
  },
  {
    field: "blockIO.weightDevice",
    what: "The block I/O leaf weight of a device",
    asked: ({ blockIO }) => some(blockIO?.weightDevice?.filter(({ leafWeight }) => leafWeight !== undefined)),
    v1: on("blkio", "blkio.leaf_weight_device"),
  },
  {
    field: "blockIO.weightDevice",
    what: "The block I/O weight of a device",
    asked: ({ blockIO }) => some(blockIO?.weightDevice?.filter(({ weight }) => weight !== undefined)),
    ...weight,
    v1: on("blkio", "blkio.weight_device", "blkio.bfq.weight_device"),
  },
  throttle("throttleReadBpsDevice", "The limit of bytes read per second", "read_bps_device"),
  throttle("throttleWriteBpsDevice", "The limit of bytes written per second", "write_bps_device"),
  throttle("throttleReadIOPSDevice", "The limit of reads per second", "read_iops_device"),
  throttle("throttleWriteIOPSDevice", "The limit of writes per second", "write_iops_device"),
  {
    field: "network.classID",
    what: "The network class",
    asked: ({ network }) => Boolean(network?.classID),
    v1: on("net_cls", "net_cls.classid"),
    serious: true,
  },
  {
    field: "network.priorities",
    what: "The network priority",
    asked: ({ network }) => some(network?.priorities),
    v1: on("net_prio", "net_prio.ifpriomap"),
    serious: true,
  },
  {
    field: "rdma",
    what: "The limit of RDMA resources",
    asked: ({ rdma }) => Object.keys(rdma ?? {}).length > 0,
    v1: on("rdma", "rdma.max"),
    v2: on("rdma", "rdma.max"),
    serious: true,
  },
];

/** The limit of huge pages of one size ("2MB"). */
export const hugepages = (pageSize: string): Need => ({
  field: "hugepageLimits",
  what: `The limit of ${pageSize} pages`,
  asked: () => true,
  v1: on("hugetlb", `hugetlb.${pageSize}.limit_in_bytes`),
  v2: on("hugetlb", `hugetlb.${pageSize}.max`),
});
