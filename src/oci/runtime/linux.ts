import type { Resources } from "./resources.ts";
import type { Seccomp } from "./seccomp.ts";
import type { IdMapping } from "./spec.ts";

/** The `linux` part of a runtime configuration: runtime-spec 1.2, config-linux.md. */
export interface Linux {
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  readonly timeOffsets?: {
    readonly monotonic?: TimeOffset;
    readonly boottime?: TimeOffset;
  };
  /** Names in `/proc/sys` with dots (or slashes). */
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly resources?: Resources;
  /** A path below each controller's mount, or `slice:prefix:name` for systemd. */
  readonly cgroupsPath?: string;
  readonly namespaces?: readonly Namespace[];
  readonly devices?: readonly Device[];
  readonly netDevices?: Readonly<Record<string, { readonly name?: string }>>;
  readonly seccomp?: Seccomp;
  /** Propagation of `/`. */
  readonly rootfsPropagation?:
    | "shared"
    | "slave"
    | "private"
    | "unbindable"
    | "rshared"
    | "rslave"
    | "rprivate"
    | "runbindable";
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly mountLabel?: string;
  readonly intelRdt?: IntelRdt;
  readonly memoryPolicy?: {
    readonly mode: string;
    readonly nodes?: string;
    readonly flags?: readonly string[];
  };
  readonly personality?: { readonly domain: "LINUX" | "LINUX32"; readonly flags?: readonly string[] };
}

export type NamespaceType = "pid" | "network" | "mount" | "ipc" | "uts" | "user" | "cgroup" | "time";

export interface Namespace {
  readonly type: NamespaceType;
  /** A namespace to join; absent makes a new one. */
  readonly path?: string;
}

export interface TimeOffset {
  readonly secs?: number;
  readonly nanosecs?: number;
}

export interface Device {
  readonly path: string;
  /** Character (`c`, unbuffered `u`), block, or FIFO. */
  readonly type: "c" | "u" | "b" | "p";
  readonly major?: number;
  readonly minor?: number;
  /** Permission bits. */
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface IntelRdt {
  readonly closID?: string;
  readonly schemata?: readonly string[];
  readonly l3CacheSchema?: string;
  readonly memBwSchema?: string;
  readonly enableCMT?: boolean;
  readonly enableMBM?: boolean;
  readonly enableMonitoring?: boolean;
}
