/** What the firewall is made from: all networks with a bridge and all published ports, as they should be. */
export interface FirewallState {
  readonly networks: readonly FirewallNetwork[];
  readonly ports: readonly PublishedPort[];
}

/**
 * How others reach containers directly (Docker's `gateway_mode`). `nat`: through published ports only, outgoing
 * traffic is masqueraded. `nat-unprotected`: the same, but also by the containers' own addresses. `routed`: by their
 * own addresses on published ports only, nothing is translated. `isolated`: no traffic with the host or beyond.
 */
export type GatewayMode = "nat" | "nat-unprotected" | "routed" | "isolated";

export interface FirewallNetwork {
  readonly id: string;
  readonly name: string;
  /** Interface name of the bridge. */
  readonly bridge: string;
  /** In CIDR: `"172.17.0.0/16"`; empty where the family is off. */
  readonly subnets4: readonly string[];
  readonly subnets6: readonly string[];
  /** `--internal`: nothing in or out but the subnet and the host's own addresses in it. */
  readonly internal: boolean;
  /** `com.docker.network.bridge.enable_icc`: containers of this network reach each other. */
  readonly icc: boolean;
  /** `com.docker.network.bridge.enable_ip_masquerade`. */
  readonly masquerade: boolean;
  readonly gatewayMode4: GatewayMode;
  readonly gatewayMode6: GatewayMode;
  /** Interfaces of the host from which published ports are reached at the containers' own addresses. */
  readonly trusted?: readonly string[];
  /** What leaves it leaves with these addresses of the host; absent: with that of the interface it leaves by. */
  readonly hostAddress4?: string | undefined;
  readonly hostAddress6?: string | undefined;
  /** Addresses of the host at which its containers ask for names: no published port 53 takes that away from them. */
  readonly resolvers?: readonly string[];
}

export type PortProtocol = "tcp" | "udp" | "sctp";

/**
 * One port of the host that leads to a port of a container. Both addresses are of one family: a port published on
 * every address of a container with both families is two of these.
 */
export interface PublishedPort {
  /** Id of the network over which the container is reached. */
  readonly network: string;
  /** Name of the container, for the rule's comment. */
  readonly container: string;
  readonly protocol: PortProtocol;
  /** `"0.0.0.0"`, `"::"`, or one address of the host. For `"::1"` there is no rule: a proxy carries it. */
  readonly hostIp: string;
  /** 0: on no port of the host, only at the container's own address (gateway mode `routed`). */
  readonly hostPort: number;
  readonly containerIp: string;
  readonly containerPort: number;
}

/** The one owner of the table `inet cais`. Calls are made one after the other, whoever asks. */
export interface Firewall {
  /**
   * Makes the kernel's rules what `state` says, in one atomic batch; chains that stay the same keep their counters.
   * Without networks the table goes. Rejects with a `StepError`; the rules are then what they were.
   */
  apply(state: FirewallState): Promise<void>;
  /** The rules as they are now, with their counters. */
  rules(): Promise<readonly RuleReport[]>;
  /** Bridges that engines on other roots have rules for: they are theirs. */
  bridgesOfOthers(): Promise<readonly string[]>;
  /** Where other people's rules drop what containers send through this host; empty where nothing does. */
  obstacles(): Promise<readonly Obstacle[]>;
}

/** One rule of ours, read back from the kernel. */
export interface RuleReport {
  readonly chain: string;
  /** As `nft list ruleset` writes it, without counter and comment. */
  readonly text: string;
  /** Which network, container and port it is for. */
  readonly comment: string;
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** A chain of somebody else that every packet of its kind passes and whose policy is to drop. */
export interface Obstacle {
  /** `"ip"`, `"ip6"` or `"inet"`. */
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  /** What it drops: packets that the host passes on, or those for the host itself. */
  readonly hook: "forward" | "input";
  /** A sentence for `cais info`. */
  readonly message: string;
}
