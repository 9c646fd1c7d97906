export type Protocol = "tcp" | "udp" | "sctp";

/** One port of a container on one address of the host, as it was bound. */
export interface PublishedPort {
  readonly protocol: Protocol;
  /** In the container. */
  readonly containerPort: number;
  /** `0.0.0.0`, `::` or one of the host's addresses. */
  readonly hostAddress: string;
  readonly hostPort: number;
  /** The container's address that it leads to: of the same family (the kernel translates), or of the other (we proxy). */
  readonly containerAddress: string;
}

/** Whether an address is an IPv6 one. */
export const isV6 = (address: string): boolean => address.includes(":");

/** Whether the kernel can translate it: there is no way from IPv6 to IPv4 in it. */
export const isTranslated = ({ hostAddress, containerAddress }: PublishedPort): boolean =>
  isV6(hostAddress) === isV6(containerAddress);
