import type { Linux } from "./linux.ts";

/** `config.json` of an OCI bundle for Linux: runtime-spec 1.2, config.md and config-linux.md. */
export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly root?: Root;
  readonly hostname?: string;
  readonly domainname?: string;
  /** Mounted in this order. */
  readonly mounts?: readonly Mount[];
  readonly process?: Process;
  readonly hooks?: Hooks;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: Linux;
}

export interface Root {
  /** Absolute, or relative to the bundle. */
  readonly path: string;
  readonly readonly?: boolean;
}

export interface Mount {
  /** Absolute path inside the container. */
  readonly destination: string;
  readonly type?: string;
  /** A device, a file system's name, or a path (relative to the bundle) with `bind` or `rbind`. */
  readonly source?: string;
  /** As `mount -o` takes them, and `rro`, `idmap`, `ridmap`, `tmpcopyup` and the propagation words. */
  readonly options?: readonly string[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
}

export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface Process {
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user: User;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly cwd: string;
  readonly capabilities?: Capabilities;
  readonly rlimits?: readonly Rlimit[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  readonly oomScoreAdj?: number;
  readonly selinuxLabel?: string;
  readonly ioPriority?: IoPriority;
  readonly scheduler?: Scheduler;
  readonly execCPUAffinity?: { readonly initial?: string; readonly final?: string };
}

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
}

/** Names with their `CAP_` prefix. */
export interface Capabilities {
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly permitted?: readonly string[];
  readonly ambient?: readonly string[];
}

/**
 * `soft` and `hard` are unsigned 64-bit in the spec. JavaScript numbers round there: whatever is 2^63 or more
 * is `RLIM_INFINITY`.
 */
export interface Rlimit {
  /** `RLIMIT_NOFILE`. */
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

export interface IoPriority {
  readonly class: "IOPRIO_CLASS_RT" | "IOPRIO_CLASS_BE" | "IOPRIO_CLASS_IDLE";
  readonly priority?: number;
}

export interface Scheduler {
  readonly policy:
    | "SCHED_OTHER"
    | "SCHED_FIFO"
    | "SCHED_RR"
    | "SCHED_BATCH"
    | "SCHED_ISO"
    | "SCHED_IDLE"
    | "SCHED_DEADLINE";
  readonly nice?: number;
  readonly priority?: number;
  readonly flags?: readonly string[];
  /** Nanoseconds, as the next two. */
  readonly runtime?: number;
  readonly deadline?: number;
  readonly period?: number;
}

/** Run in the runtime's namespaces, except `createContainer` and `startContainer`: in the container's. */
export interface Hooks {
  /** Deprecated in favour of the next three. */
  readonly prestart?: readonly Hook[];
  readonly createRuntime?: readonly Hook[];
  readonly createContainer?: readonly Hook[];
  readonly startContainer?: readonly Hook[];
  readonly poststart?: readonly Hook[];
  readonly poststop?: readonly Hook[];
}

export interface Hook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}
