import type { EndpointSettings } from "./endpoint.ts";

/** One published or exposed port, as lists of containers show it. */
export interface PortSummary {
  readonly IP?: string;
  readonly PrivatePort: number;
  /** Absent where the port is only exposed. */
  readonly PublicPort?: number;
  readonly Type: "tcp" | "udp" | "sctp";
}

/** A mount as it is, not as it was asked for. */
export interface MountPoint {
  readonly Type: "bind" | "volume" | "tmpfs" | "image";
  /** The volume's name; absent for binds. */
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

/** `GET /containers/json`: one container. */
export interface ContainerSummary {
  readonly Id: string;
  /** Each with a leading slash; links add more. */
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly Command: string;
  /** Seconds since 1970. */
  readonly Created: number;
  readonly Ports: readonly PortSummary[];
  /** Bytes; only with `size=1`, and left out when 0. */
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly State: string;
  /** For people: `Up 3 minutes`. */
  readonly Status: string;
  readonly HostConfig: {
    readonly NetworkMode?: string;
    readonly Annotations?: Readonly<Record<string, string>>;
  };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, EndpointSettings>> | null } | null;
  readonly Mounts: readonly MountPoint[];
}
