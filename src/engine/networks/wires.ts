import type { LiveEndpoint, SavedEndpoint } from "../../container/endpoint.ts";
import type { NetNames } from "../../container/netfiles.ts";
import type { ContainerRecord } from "../../container/record.ts";
import type { NetworkDocument } from "../../network/document.ts";
import { driverOf } from "../../network/drivers/drivers.ts";
import type { Endpoint, NextHop, Prefix } from "../../network/endpoint.ts";
import type { Context } from "../context.ts";
import { endpointSysctls, SYSCTLS } from "./check.ts";

/** A container's place on a network with the network that it is on. */
export interface Place {
  readonly network: NetworkDocument;
  readonly saved: SavedEndpoint;
  readonly live: LiveEndpoint;
}

/** Where a running or starting container is, in the order of its interfaces. */
export function placesOf(
  { networks }: Pick<Context, "networks">,
  { endpoints }: Pick<ContainerRecord, "endpoints">,
): Place[] {
  return Object.values(endpoints).flatMap((saved) => {
    const { live } = saved;
    const network = live === null ? undefined : networks.byId(live.networkId);
    return live && network ? [{ network, saved, live }] : [];
  });
}

/**
 * The network that leads everywhere else: of those with a gateway the one with the highest priority, and of equals
 * the first by name (Docker's rule). Each family has its own.
 */
export function gatewayPlace(places: readonly Place[], family: 4 | 6): Place | undefined {
  const leads = ({ live, network }: Place): boolean => {
    const address = family === 4 ? live.ipv4 : live.ipv6;
    return (
      address !== null && (address.gateway !== "" || driverOf(network).outward(network, family) === "link")
    );
  };
  return places
    .filter(leads)
    .sort(
      (a, b) =>
        (b.saved.asked.GwPriority ?? 0) - (a.saved.asked.GwPriority ?? 0) ||
        (a.network.name < b.network.name ? -1 : 1),
    )[0];
}

/**
 * What the wires of a container are made from that is on just these, by network.
 * @param asks the way of its questions for names, on one of them
 */
export function wiresBy(places: readonly Place[], asks?: NetNames["asks"]): ReadonlyMap<string, Endpoint> {
  const [gateway4, gateway6] = [gatewayPlace(places, 4), gatewayPlace(places, 6)];
  return new Map(
    places.flatMap((place) => {
      const { id } = place.network;
      const endpoint = wireOf(place, place === gateway4, place === gateway6);
      if (!endpoint) return [];
      const way = asks?.network === id ? { asks: { from: asks.from, server: asks.server } } : {};
      return [[id, { ...endpoint, ...way }] as const];
    }),
  );
}

/** All of them, in the order of the interfaces. */
export const wiresOf = (places: readonly Place[], asks?: NetNames["asks"]): Endpoint[] => [
  ...wiresBy(places, asks).values(),
];

/** Addresses of the link alone, which nobody else keeps: the container has chosen them. */
const linkLocals = (texts: readonly string[], ipv6: boolean): Prefix[] =>
  texts
    .filter((text) => ipv6 || !text.includes(":"))
    .map((address) => ({ address, bits: address.includes(":") ? 64 : 16 }));

/** One of them; null for a network without interfaces. */
function wireOf({ network, saved, live }: Place, isGateway4: boolean, isGateway6: boolean): Endpoint | null {
  const driver = driverOf(network);
  const link = driver.link(network, live.host);
  if (link === null) return null;
  const mtu = driver.mtu(network);
  const hop = (gateway: string, family: 4 | 6): NextHop =>
    driver.outward(network, family) === "link" ? {} : { via: gateway };
  return {
    network: network.name,
    interface: live.interface,
    link,
    ...(link.driver === "ipvlan" ? {} : { mac: live.mac }),
    ...(mtu === undefined ? {} : { mtu }),
    addresses: [
      ...[live.ipv4, live.ipv6].flatMap((one) => (one ? [{ address: one.address, bits: one.bits }] : [])),
      ...linkLocals(saved.asked.IPAMConfig?.LinkLocalIPs ?? [], live.ipv6 !== null),
    ],
    ...(isGateway4 && live.ipv4 ? { defaultRoute4: hop(live.ipv4.gateway, 4) } : {}),
    ...(isGateway6 && live.ipv6 ? { defaultRoute6: hop(live.ipv6.gateway, 6) } : {}),
    sysctls: endpointSysctls(saved.asked.DriverOpts?.[SYSCTLS], live.interface),
    ...(network.name === "bridge" ? {} : { option: `--network ${network.name}` }),
  };
}
