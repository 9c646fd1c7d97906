import type { NetworkingConfig, PortBinding } from "./endpoint.ts";
import type { Mount } from "./mount.ts";
import type { DeviceMapping, HostResources } from "./resources.ts";

export type { DeviceMapping, HostResources, Mount, NetworkingConfig, PortBinding };

/**
 * What a container runs: `Config` of the Docker Engine API (1.51). Every field may be absent, and Go clients
 * send `null` for an empty list or map, so both are part of the type.
 */
export interface ContainerConfig {
  readonly Hostname?: string;
  readonly Domainname?: string;
  /** `user`, `uid`, `user:group`, `uid:gid`. */
  readonly User?: string;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  /** Keys are `port/protocol`. */
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Tty?: boolean;
  readonly OpenStdin?: boolean;
  readonly StdinOnce?: boolean;
  /** `NAME=value`; `NAME` alone takes the variable out of what the image sets. */
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Healthcheck?: Healthcheck | null;
  /** Windows only. */
  readonly ArgsEscaped?: boolean;
  readonly Image?: string;
  /** Keys are paths that get an anonymous volume. */
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly WorkingDir?: string;
  readonly Entrypoint?: readonly string[] | null;
  readonly NetworkDisabled?: boolean;
  /** Deprecated since API 1.44 in favour of the endpoint's. */
  readonly MacAddress?: string;
  readonly OnBuild?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  /** Seconds; -1 waits without end. */
  readonly StopTimeout?: number | null;
  readonly Shell?: readonly string[] | null;
}

/** Durations are nanoseconds; 0 or absent inherits from the image. */
export interface Healthcheck {
  /** `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", command]`; empty inherits. */
  readonly Test?: readonly string[] | null;
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** How this host runs the container: `HostConfig` of the Docker Engine API (1.51). */
export interface HostConfig extends HostResources {
  /** `source:target[:options]`, the source an absolute path or a volume's name. */
  readonly Binds?: readonly string[] | null;
  readonly ContainerIDFile?: string;
  readonly LogConfig?: LogConfig;
  /** `default`, `bridge`, `none`, `host`, `container:ID` or a network's name. */
  readonly NetworkMode?: string;
  /** Keys are `port/protocol`. */
  readonly PortBindings?: Readonly<Record<string, readonly PortBinding[] | null>> | null;
  readonly RestartPolicy?: RestartPolicy;
  readonly AutoRemove?: boolean;
  readonly VolumeDriver?: string;
  /** `container[:ro|rw]`. */
  readonly VolumesFrom?: readonly string[] | null;
  /** Height, width. */
  readonly ConsoleSize?: readonly number[];
  readonly Annotations?: Readonly<Record<string, string>> | null;
  readonly CapAdd?: readonly string[] | null;
  readonly CapDrop?: readonly string[] | null;
  /** `""`, `private` or `host`. */
  readonly CgroupnsMode?: string;
  readonly Dns?: readonly string[] | null;
  readonly DnsOptions?: readonly string[] | null;
  readonly DnsSearch?: readonly string[] | null;
  /** `host:address`. */
  readonly ExtraHosts?: readonly string[] | null;
  readonly GroupAdd?: readonly string[] | null;
  /** `""`, `none`, `private`, `shareable`, `host` or `container:ID`. */
  readonly IpcMode?: string;
  readonly Cgroup?: string;
  readonly Links?: readonly string[] | null;
  readonly OomScoreAdj?: number;
  /** `""`, `host` or `container:ID`. */
  readonly PidMode?: string;
  readonly Privileged?: boolean;
  readonly PublishAllPorts?: boolean;
  readonly ReadonlyRootfs?: boolean;
  readonly SecurityOpt?: readonly string[] | null;
  readonly StorageOpt?: Readonly<Record<string, string>> | null;
  /** Keys are targets, values mount options as `mount -o` takes them. */
  readonly Tmpfs?: Readonly<Record<string, string>> | null;
  /** `""` or `host`; cais also takes `container:ID`. */
  readonly UTSMode?: string;
  /** `""`, `host`; cais also takes `uid=0:100000:65536,gid=0:100000:65536`. */
  readonly UsernsMode?: string;
  readonly ShmSize?: number;
  readonly Sysctls?: Readonly<Record<string, string>> | null;
  readonly Runtime?: string;
  /** Windows only. */
  readonly Isolation?: string;
  readonly Mounts?: readonly Mount[] | null;
  /** Absent or null is the default list, empty is none. */
  readonly MaskedPaths?: readonly string[] | null;
  readonly ReadonlyPaths?: readonly string[] | null;
  readonly Init?: boolean | null;
}

export interface LogConfig {
  readonly Type?: string;
  readonly Config?: Readonly<Record<string, string>> | null;
}

export interface RestartPolicy {
  /** `""` and `no` are the same. */
  readonly Name?: "" | "no" | "always" | "unless-stopped" | "on-failure";
  readonly MaximumRetryCount?: number;
}

/** Body of `POST /containers/create`. */
export interface ContainerCreateRequest extends ContainerConfig {
  readonly HostConfig?: HostConfig | null;
  readonly NetworkingConfig?: NetworkingConfig | null;
}

/** Body of `POST /containers/{id}/exec`. */
export interface ExecConfig {
  readonly User?: string;
  readonly Privileged?: boolean;
  readonly Tty?: boolean;
  /** Height, width. */
  readonly ConsoleSize?: readonly number[] | null;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly DetachKeys?: string;
  readonly Env?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly Cmd?: readonly string[] | null;
}
