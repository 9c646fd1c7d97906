/** What a container asks of the networks it is created on. */
export interface NetworkingConfig {
  /** Keys are network names or ids. */
  readonly EndpointsConfig?: Readonly<Record<string, EndpointSettings | null>> | null;
}

/** A container's place on one network: what was asked, and in answers what it got. */
export interface EndpointSettings {
  readonly IPAMConfig?: {
    readonly IPv4Address?: string;
    readonly IPv6Address?: string;
    readonly LinkLocalIPs?: readonly string[] | null;
  } | null;
  readonly Links?: readonly string[] | null;
  readonly Aliases?: readonly string[] | null;
  readonly MacAddress?: string;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  readonly GwPriority?: number;
  readonly NetworkID?: string;
  readonly EndpointID?: string;
  readonly Gateway?: string;
  readonly IPAddress?: string;
  readonly IPPrefixLen?: number;
  readonly IPv6Gateway?: string;
  readonly GlobalIPv6Address?: string;
  readonly GlobalIPv6PrefixLen?: number;
  readonly DNSNames?: readonly string[] | null;
}

export interface PortBinding {
  readonly HostIp?: string;
  /** A port or a range; empty is any free port. */
  readonly HostPort?: string;
}
