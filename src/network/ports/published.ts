import type { PortProtocol, PublishedPort } from "../firewall/types.ts";

export type { PortProtocol, PublishedPort };

/** Whether an address is an IPv6 one. */
export const isV6 = (address: string): boolean => address.includes(":");

/**
 * Whether the kernel's rules carry it. They cannot lead from one family to the other, nor away from `::1` (there is
 * no `route_localnet` for IPv6): those come to the socket that holds the port, and are carried on from there.
 */
export const isTranslated = ({ hostIp, containerIp }: PublishedPort): boolean =>
  isV6(hostIp) === isV6(containerIp) && hostIp !== "::1";

/** Whether it is on no port of the host: the container is reached at its own address (gateway mode `routed`). */
export const isRouted = ({ hostPort }: PublishedPort): boolean => hostPort === 0;
