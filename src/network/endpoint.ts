/** One end of a container on one network, as plain data: what its wires are made from. */
export interface Endpoint {
  /** Name of the network, for people. */
  readonly network: string;
  /** Name of the interface in the container: `"eth0"`. */
  readonly interface: string;
  readonly link: Link;
  /** `"02:42:ac:11:00:02"`; the kernel's choice where it is absent. An ipvlan has its parent's always. */
  readonly mac?: string;
  /** Bytes; the kernel's default (or the parent's) where it is absent. */
  readonly mtu?: number;
  /** Of both families; they are there at once, without duplicate address detection. */
  readonly addresses: readonly Prefix[];
  /** This endpoint is the way to everywhere else, in that family. */
  readonly defaultRoute4?: NextHop;
  readonly defaultRoute6?: NextHop;
  /** Further routes through this interface. */
  readonly routes?: readonly Route[];
  /**
   * Kernel settings of the container's network namespace, set when the interface is there and before it is up:
   * `net.ipv4.conf.eth0.log_martians` → `"1"`. `net.ipv6.conf.<interface>.disable_ipv6` is added for an endpoint
   * without an IPv6 address.
   */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Questions for names go out here; of all endpoints of a container one has it at most. */
  readonly asks?: Asks;
  /** The option that caused it, as typed: `"--network web"`. */
  readonly option?: string;
}

/** The way of questions for names: from a container's own IPv4 address on a network to the host's there. */
export interface Asks {
  readonly from: string;
  readonly server: string;
}

/** An address and how many of its bits are the network's. */
export interface Prefix {
  /** `"172.17.0.2"`, `"fd00::2"`. */
  readonly address: string;
  readonly bits: number;
}

/** Without `via`: everything is reached on the link itself. */
export interface NextHop {
  readonly via?: string;
}

export interface Route extends NextHop {
  readonly to: Prefix;
}

/** How the interface reaches the world. Names are interfaces of the host, at most 15 bytes. */
export type Link =
  /**
   * A veth pair: `host` (`"veth1a2b3c4"`) is the end on the bridge. An isolated one reaches no other isolated one
   * (`com.docker.network.bridge.enable_icc=false`).
   */
  | {
      readonly driver: "bridge";
      readonly bridge: string;
      readonly host: string;
      readonly isolated?: boolean;
    }
  | { readonly driver: "macvlan"; readonly parent: string; readonly mode: MacvlanMode }
  | {
      readonly driver: "ipvlan";
      readonly parent: string;
      readonly mode: IpvlanMode;
      readonly flag: IpvlanFlag;
    };

/** A link of the host that is made for a network of containers beside it. */
export interface ParentLink {
  /** Name of the network, for people. */
  readonly network: string;
  /** Name of the interface: `"eth0.50"`, `"dm-0123456789ab"`. */
  readonly name: string;
  /** The interface it is a VLAN of (802.1Q), 1 to 4094; absent: one that leads nowhere. */
  readonly vlan?: { readonly on: string; readonly id: number };
}

export type MacvlanMode = "bridge" | "private" | "vepa" | "passthru";
export type IpvlanMode = "l2" | "l3" | "l3s";
export type IpvlanFlag = "bridge" | "private" | "vepa";

/** A bridge of the host with its addresses, as plain data. */
export interface Bridge {
  /** Name of the network, for people. */
  readonly network: string;
  /** Name of the interface: `"cais0"`, `"br-0123456789ab"`. */
  readonly name: string;
  readonly mtu?: number;
  /** One that is made from the name where it is absent: a bridge without one takes that of its lowest port. */
  readonly mac?: string;
  /** The host's addresses on it: gateways. */
  readonly addresses: readonly Prefix[];
  /** Whether the host forwards for it: `ip_forward` is turned on, and left on as Docker does. */
  readonly forward4: boolean;
  readonly forward6: boolean;
  /** Ports published on 127.0.0.1 lead to it: `route_localnet`, on this bridge only. */
  readonly routeLocalnet: boolean;
  /** No address of IPv6 at all, not even one that the kernel gives it: its containers do not reach the host. */
  readonly without6?: true;
  readonly option?: string;
}
