/** The limits of a container: the part of `HostConfig` that `POST /containers/{id}/update` takes too. */
export interface HostResources {
  readonly CpuShares?: number;
  /** Bytes; 0 is no limit. So for every memory field. */
  readonly Memory?: number;
  /** Billionths of a processor. */
  readonly NanoCpus?: number;
  readonly CgroupParent?: string;
  /** 0 (unset) or 10 to 1000. */
  readonly BlkioWeight?: number;
  readonly BlkioWeightDevice?: readonly WeightDevice[] | null;
  readonly BlkioDeviceReadBps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteBps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceReadIOps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteIOps?: readonly ThrottleDevice[] | null;
  /** Microseconds; so for every processor time here. */
  readonly CpuPeriod?: number;
  readonly CpuQuota?: number;
  readonly CpuRealtimePeriod?: number;
  readonly CpuRealtimeRuntime?: number;
  /** `0-2,4`. */
  readonly CpusetCpus?: string;
  readonly CpusetMems?: string;
  readonly Devices?: readonly DeviceMapping[] | null;
  /** `c 1:3 rwm`, `*` for any number, `a` for any type. */
  readonly DeviceCgroupRules?: readonly string[] | null;
  readonly DeviceRequests?: readonly DeviceRequest[] | null;
  /** Gone from the kernel; accepted and refused with a sentence. */
  readonly KernelMemory?: number;
  readonly KernelMemoryTCP?: number;
  readonly MemoryReservation?: number;
  /** Memory and swap together; -1 is unlimited swap. */
  readonly MemorySwap?: number;
  /** 0 to 100; -1 or null is the kernel's default. */
  readonly MemorySwappiness?: number | null;
  readonly OomKillDisable?: boolean | null;
  /** 0, -1 and null are no limit. */
  readonly PidsLimit?: number | null;
  readonly Ulimits?: readonly Ulimit[] | null;
  /** Windows only, as are the next three. */
  readonly CpuCount?: number;
  readonly CpuPercent?: number;
  readonly IOMaximumIOps?: number;
  readonly IOMaximumBandwidth?: number;
}

export interface WeightDevice {
  readonly Path?: string;
  readonly Weight?: number;
}

export interface ThrottleDevice {
  readonly Path?: string;
  readonly Rate?: number;
}

export interface DeviceMapping {
  readonly PathOnHost?: string;
  readonly PathInContainer?: string;
  /** Letters out of `rwm`. */
  readonly CgroupPermissions?: string;
}

/** `--gpus` and other driver-made devices, CDI ones among them. */
export interface DeviceRequest {
  readonly Driver?: string;
  readonly Count?: number;
  readonly DeviceIDs?: readonly string[] | null;
  readonly Capabilities?: readonly (readonly string[])[] | null;
  readonly Options?: Readonly<Record<string, string>> | null;
}

/** -1 is unlimited. */
export interface Ulimit {
  readonly Name?: string;
  readonly Hard?: number;
  readonly Soft?: number;
}
