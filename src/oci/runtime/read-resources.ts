import {
  flag,
  int64,
  list,
  name,
  object,
  oneOf,
  type Reader,
  record,
  text,
  uint16,
  uint32,
  uint64,
  whole,
  wrong,
} from "./read.ts";
import type {
  BlockIo,
  BlockThrottle,
  BlockWeight,
  CpuResources,
  DeviceRule,
  MemoryResources,
  Resources,
} from "./resources.ts";

/** `linux.resources` of a runtime configuration (config-linux.md, "Control groups"), or what `update` is given. */

const bytes = whole(-1, 2 ** 63, "a number of bytes, or -1 for no limit");

const access: Reader<string> = (value, at, warnings) => {
  const letters = text(value, at, warnings);
  if (!/^[rwm]{0,3}$/.test(letters)) throw wrong(at, `it must be letters out of "rwm", not "${letters}"`);
  return letters;
};

const deviceRule: Reader<DeviceRule> = object<DeviceRule>(
  // "" is how writers that do not leave it out write "all".
  { allow: flag, type: oneOf("a", "b", "c"), major: int64, minor: int64, access },
  "allow",
);

const anyType: Reader<DeviceRule> = (value, at, warnings) => {
  const given = value as { readonly type?: string };
  return deviceRule(given?.type === "" ? { ...given, type: "a" } : value, at, warnings);
};

const memory = object<MemoryResources>({
  limit: bytes,
  reservation: bytes,
  swap: bytes,
  kernel: bytes,
  kernelTCP: bytes,
  swappiness: whole(0, 100, "a percentage"),
  disableOOMKiller: flag,
  useHierarchy: flag,
  checkBeforeUpdate: flag,
});

const cpu = object<CpuResources>({
  shares: uint64,
  quota: int64,
  burst: uint64,
  period: uint64,
  realtimeRuntime: int64,
  realtimePeriod: uint64,
  cpus: text,
  mems: text,
  idle: whole(0, 1, "0 for the usual behaviour or 1 for SCHED_IDLE"),
});

const throttles = list(
  object<BlockThrottle>({ major: int64, minor: int64, rate: uint64 }, "major", "minor", "rate"),
);

const weight: Reader<BlockWeight> = (value, at, warnings) => {
  const read = object<BlockWeight>(
    { major: int64, minor: int64, weight: uint16, leafWeight: uint16 },
    "major",
    "minor",
  )(value, at, warnings);
  if (read.weight === undefined && read.leafWeight === undefined)
    throw wrong(at, "it must have a weight or a leafWeight");
  return read;
};

const blockIO = object<BlockIo>({
  weight: uint16,
  leafWeight: uint16,
  weightDevice: list(weight),
  throttleReadBpsDevice: throttles,
  throttleWriteBpsDevice: throttles,
  throttleReadIOPSDevice: throttles,
  throttleWriteIOPSDevice: throttles,
});

const pageSize: Reader<string> = (value, at, warnings) => {
  const size = text(value, at, warnings);
  if (!/^[1-9]\d*(KB|MB|GB)$/.test(size))
    throw wrong(at, `it must be a size of pages like 64KB, 2MB or 1GB, not ${size}`);
  return size;
};

const rdma = object<{ readonly hcaHandles?: number; readonly hcaObjects?: number }>({
  hcaHandles: uint32,
  hcaObjects: uint32,
});

export const readResources: Reader<Resources> = object<Resources>({
  devices: list(anyType),
  memory,
  cpu,
  pids: object({ limit: int64 }),
  blockIO,
  hugepageLimits: list(object({ pageSize, limit: uint64 }, "pageSize", "limit")),
  network: object<NonNullable<Resources["network"]>>({
    classID: uint32,
    priorities: list(object({ name, priority: uint32 }, "name", "priority")),
  }),
  rdma: record((value, at, warnings) => {
    const read = rdma(value, at, warnings);
    if (read.hcaHandles === undefined && read.hcaObjects === undefined)
      throw wrong(at, "it must have hcaHandles or hcaObjects");
    return read;
  }),
  unified: record(text),
});
