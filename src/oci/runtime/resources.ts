/** Limits of a container: `linux.resources` of the runtime-spec 1.2. */
export interface Resources {
  readonly devices?: readonly DeviceRule[];
  readonly memory?: MemoryResources;
  readonly cpu?: CpuResources;
  readonly pids?: { readonly limit?: number };
  readonly blockIO?: BlockIo;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[];
  readonly network?: {
    readonly classID?: number;
    readonly priorities?: readonly { readonly name: string; readonly priority: number }[];
  };
  readonly rdma?: Readonly<Record<string, { readonly hcaHandles?: number; readonly hcaObjects?: number }>>;
  /** Files of cgroup v2, by name, written as they are. */
  readonly unified?: Readonly<Record<string, string>>;
}

/** Later rules win. */
export interface DeviceRule {
  readonly allow: boolean;
  /** `a` is every type; absent means the same. */
  readonly type?: "a" | "b" | "c";
  /** Absent or -1 is every number. */
  readonly major?: number;
  readonly minor?: number;
  /** Letters out of `rwm`. */
  readonly access?: string;
}

/** Bytes; -1 is no limit. */
export interface MemoryResources {
  readonly limit?: number;
  readonly reservation?: number;
  /** Memory and swap together. */
  readonly swap?: number;
  readonly kernel?: number;
  readonly kernelTCP?: number;
  readonly swappiness?: number;
  readonly disableOOMKiller?: boolean;
  readonly useHierarchy?: boolean;
  readonly checkBeforeUpdate?: boolean;
}

/** Times in microseconds. */
export interface CpuResources {
  readonly shares?: number;
  readonly quota?: number;
  readonly burst?: number;
  readonly period?: number;
  readonly realtimeRuntime?: number;
  readonly realtimePeriod?: number;
  readonly cpus?: string;
  readonly mems?: string;
  readonly idle?: number;
}

export interface BlockIo {
  readonly weight?: number;
  readonly leafWeight?: number;
  readonly weightDevice?: readonly BlockWeight[];
  readonly throttleReadBpsDevice?: readonly BlockThrottle[];
  readonly throttleWriteBpsDevice?: readonly BlockThrottle[];
  readonly throttleReadIOPSDevice?: readonly BlockThrottle[];
  readonly throttleWriteIOPSDevice?: readonly BlockThrottle[];
}

export interface BlockWeight {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number;
  readonly leafWeight?: number;
}

export interface BlockThrottle {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
}
