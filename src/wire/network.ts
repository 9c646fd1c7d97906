export interface NetworkPool {
  readonly Subnet?: string;
  readonly IPRange?: string;
  readonly Gateway?: string;
  readonly AuxiliaryAddresses?: Readonly<Record<string, string>> | null;
}

export interface NetworkMember {
  readonly Name: string;
  readonly EndpointID: string;
  readonly MacAddress: string;
  readonly IPv4Address: string;
  readonly IPv6Address: string;
}

/** `GET /networks/{id}`; in lists `Containers` is empty. */
export interface Network {
  readonly Name: string;
  readonly Id: string;
  readonly Created: string;
  readonly Scope: string;
  readonly Driver: string;
  readonly EnableIPv4: boolean;
  readonly EnableIPv6: boolean;
  readonly IPAM: {
    readonly Driver: string;
    readonly Options: Readonly<Record<string, string>> | null;
    readonly Config: readonly NetworkPool[] | null;
  };
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress: boolean;
  readonly ConfigFrom: { readonly Network: string };
  readonly ConfigOnly: boolean;
  readonly Containers: Readonly<Record<string, NetworkMember>> | null;
  readonly Options: Readonly<Record<string, string>> | null;
  readonly Labels: Readonly<Record<string, string>> | null;
  /** Only where it is asked for (`verbose`). */
  readonly Path?: NetworkPath;
}

/** What `GET /networks/{id}?verbose=true` adds as `Path`: the way to the containers, as the kernel has it. */
export interface NetworkPath {
  /** Null where the network has no bridge, or it is not there. */
  readonly Bridge: PathLink | null;
  readonly Endpoints: readonly PathEnd[];
  readonly Rules: readonly PathRule[];
}

/** Both ends of a container's cable; `Outside` is null where there is none on the host. */
export interface PathEnd {
  readonly Container: string;
  readonly Inside: PathLink;
  readonly Outside: PathLink | null;
  /** As ip(8) writes them: `"default via 172.17.0.1"`. */
  readonly Routes: readonly string[];
}

export interface PathLink {
  readonly Name: string;
  readonly Index: number;
  /** `"veth"`, `"bridge"`, `"macvlan"`. */
  readonly Kind: string;
  readonly Up: boolean;
  readonly Mtu: number;
  readonly MacAddress: string;
  readonly Addresses: readonly string[];
  readonly Received: PathCount;
  readonly Sent: PathCount;
}

export interface PathCount {
  readonly Packets: number;
  readonly Bytes: number;
}

/** A rule of the table `inet cais`, as nft(8) writes it, and what it has been applied to. */
export interface PathRule extends PathCount {
  readonly Chain: string;
  readonly Rule: string;
  readonly Comment: string;
}

/** `POST /networks/create`. */
export interface NetworkCreateRequest {
  readonly Name: string;
  readonly Driver?: string;
  readonly Scope?: string;
  readonly EnableIPv4?: boolean | null;
  readonly EnableIPv6?: boolean | null;
  readonly IPAM?: {
    readonly Driver?: string;
    readonly Options?: Readonly<Record<string, string>> | null;
    readonly Config?: readonly (NetworkPool | null)[] | null;
  } | null;
  readonly Internal?: boolean;
  readonly Attachable?: boolean;
  readonly Ingress?: boolean;
  readonly ConfigOnly?: boolean;
  readonly ConfigFrom?: { readonly Network?: string } | null;
  readonly Options?: Readonly<Record<string, string>> | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

export interface NetworkCreated {
  readonly Id: string;
  readonly Warning: string;
}

/** `POST /networks/{id}/connect`. */
export interface NetworkConnectRequest {
  readonly Container: string;
  readonly EndpointConfig?: import("./endpoint.ts").EndpointSettings | null;
}

/** `POST /networks/{id}/disconnect`. */
export interface NetworkDisconnectRequest {
  readonly Container: string;
  readonly Force?: boolean;
}

/** `POST /networks/prune`. */
export interface NetworksPruned {
  readonly NetworksDeleted: readonly string[] | null;
}
