/** `GET /cais/networks/{id}/path`: everything a packet of a network passes, as the kernel has it now. Only cais has it. */
export interface NetworkPath {
  /** The bridge, or the interface of the host that is the containers' parent; null where there is none (yet). */
  readonly Host: PathLink | null;
  readonly Containers: readonly PathContainer[];
  /** Of the network and of the ports of its containers. */
  readonly Rules: readonly PathRule[];
}

export interface PathContainer {
  readonly Id: string;
  readonly Name: string;
  /** Its interface on this network. */
  readonly Inside: PathLink;
  /** The other end of its veth pair, on the host; null where it has none. */
  readonly Outside: PathLink | null;
}

/** An interface. */
export interface PathLink {
  readonly Name: string;
  readonly Index: number;
  readonly MacAddress: string;
  readonly MTU: number;
  readonly Up: boolean;
  /** In CIDR. */
  readonly Addresses: readonly string[];
  /** As ip(8) writes them: `default via 172.17.0.1`. */
  readonly Routes: readonly string[];
}

export interface PathRule {
  readonly Chain: string;
  /** As nft(8) writes it. */
  readonly Rule: string;
  readonly Comment: string;
  readonly Packets: number;
  readonly Bytes: number;
}
