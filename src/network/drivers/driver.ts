import type { Subnet } from "../address.ts";
import type { DriverName, NetworkDocument } from "../document.ts";
import type { Bridge, Link, ParentLink } from "../endpoint.ts";

/** What a driver may ask about the host and the other networks. */
export interface DriverFacts {
  /** Networks that are there already. */
  readonly others: readonly NetworkDocument[];
  /** Whether the host has an interface of that name. */
  readonly linkExists: (name: string) => boolean;
  /** Blocks with addresses of the host's own, by interface. */
  readonly hostAddresses: readonly { readonly link: string; readonly subnet: Subnet }[];
}

/** One kind of network: what it allows, and how a container gets onto it. */
export interface Driver {
  readonly name: DriverName;
  /** Whether networks of this kind have pools of addresses. */
  readonly addressed: boolean;
  /**
   * Whether such a network can be, asked before anything of it exists.
   * @throws Refusal in one sentence
   */
  check(network: NetworkDocument, facts: DriverFacts): void;
  /** What of the host the network is made of; null where there is nothing to make. */
  bridge(network: NetworkDocument): Bridge | null;
  /** The interface of the host that containers are beside, where it is one that we make if it is not there. */
  parent(network: NetworkDocument): ParentLink | null;
  /** How containers reach everything else: by a gateway, by sending it to the link as it is, or not at all. */
  outward(network: NetworkDocument, family: 4 | 6): "gateway" | "link" | "nowhere";
  /** Whether an address of each pool is kept for a gateway, the host's own end or a router, that nobody chose. */
  keepsGateway(network: NetworkDocument, family: 4 | 6): boolean;
  /**
   * How an interface of a container is tied to it; null for kinds without interfaces.
   * @param host a name for the host's end of a pair, free on the host
   */
  link(network: NetworkDocument, host: string): Link | null;
  /** Bytes; undefined leaves it to the kernel. */
  mtu(network: NetworkDocument): number | undefined;
  /** What the interfaces in containers are called, before their number. */
  interfacePrefix(network: NetworkDocument): string;
}
