import type { Value } from "../../kernel/netlink/chunk.ts";
import type { Request } from "../../kernel/netlink/message.ts";
import { addAddress } from "../../kernel/netlink/route/address.ts";
import {
  addLink,
  isolatePort,
  type LinkRef,
  type NewLink,
  setLink,
} from "../../kernel/netlink/route/link.ts";
import { addRoute } from "../../kernel/netlink/route/route.ts";
import type { NetlinkMessage, Reason } from "../../plan/step.ts";
import type { Endpoint, Route } from "../endpoint.ts";
import { linkSetting } from "./sysctl.ts";

/** The requests that an endpoint is made of, whoever sends them. */

/** A message of a batch with its reason; the endpoint's option is behind every one of them. */
export function because(
  { option }: Pick<Endpoint, "option">,
  request: Request,
  why: string,
  hint?: string,
): NetlinkMessage {
  return { kind: "message", request, ...reasonFor({ option }, why, hint) };
}

/** A reason with the option behind an endpoint or a bridge. */
export function reasonFor(
  { option }: { readonly option?: string | undefined },
  why: string,
  hint?: string,
): Reason {
  return { why, ...(option === undefined ? {} : { option }), ...(hint === undefined ? {} : { hint }) };
}

/**
 * The interface itself, made in the host's namespace and born in that of the process `netns`. `upper` is the bridge
 * or the parent, where the driver has one.
 */
export function linkMessage(endpoint: Endpoint, upper: LinkRef, netns: Value): NetlinkMessage {
  const { link, network } = endpoint;
  const inside = {
    name: endpoint.interface,
    netns,
    ...(endpoint.mac === undefined || link.driver === "ipvlan" ? {} : { mac: endpoint.mac }),
    ...(endpoint.mtu === undefined ? {} : { mtu: endpoint.mtu }),
  };
  const connect = `connect the container to network ${network}`;
  return {
    ...because(endpoint, addLink(newLink(endpoint, inside, upper)), connect),
    hints: HINTS[link.driver],
  };
}

/** What its port of the bridge is to be; mostly nothing. */
export function portMessages(endpoint: Endpoint): NetlinkMessage[] {
  const { link } = endpoint;
  if (link.driver !== "bridge" || link.isolated !== true) return [];
  return [because(endpoint, isolatePort(link.host), "keep it from the other containers of the network")];
}

const missing = (kind: string, option: string) =>
  `this kernel has no ${kind} (${option}): load its module (modprobe ${kind}) or use another driver`;
const shared = (others: string) => {
  const text = `the parent interface cannot carry it: it may be a port of a bridge, carry ${others}, or be no Ethernet`;
  return { EBUSY: text, EINVAL: text };
};
const HINTS = {
  bridge: {
    EEXIST: "an interface of that name is there already: disconnect it first, or start the container again",
    EOPNOTSUPP: missing("veth", "CONFIG_VETH"),
    ENOSPC: "a bridge has 1023 ports at most: use a second network",
    EXFULL: "a bridge has 1023 ports at most: use a second network",
  },
  macvlan: {
    EOPNOTSUPP: missing("macvlan", "CONFIG_MACVLAN"),
    EADDRINUSE: "another interface on the same parent has that MAC address",
    ...shared("an ipvlan, or a macvlan in passthru mode"),
  },
  ipvlan: {
    EOPNOTSUPP: missing("ipvlan", "CONFIG_IPVLAN"),
    ...shared("a macvlan, or an ipvlan of another mode"),
  },
} as const;

function newLink(
  { link, mtu }: Endpoint,
  inside: Omit<NewLink, "kind" | "parent" | "mode" | "flag" | "peer">,
  upper: LinkRef,
): NewLink {
  switch (link.driver) {
    case "bridge":
      return {
        kind: "veth",
        name: link.host,
        master: upper,
        up: true,
        txqueuelen: 0,
        ...(mtu === undefined ? {} : { mtu }),
        // Nothing waits in a virtual cable.
        peer: { ...inside, txqueuelen: 0 },
      };
    case "macvlan":
      return { ...inside, kind: "macvlan", parent: upper, mode: link.mode };
    case "ipvlan":
      return { ...inside, kind: "ipvlan", parent: upper, mode: link.mode, flag: link.flag };
  }
}

/** In the container's namespace: addresses, up, routes; an address must be there before it is a route's source. */
export function configureMessages(
  endpoint: Endpoint,
  link: LinkRef,
  how: "add" | "replace" = "add",
): NetlinkMessage[] {
  const name = endpoint.interface;
  const address = "the address is not one of this network, or another interface of the container has it";
  return [
    ...endpoint.addresses.map((each) =>
      because(endpoint, addAddress(link, each.address, each.bits), `give ${name} its address`, address),
    ),
    because(endpoint, setLink(link, { up: true }), `bring ${name} up`),
    ...(endpoint.routes ?? []).map((route) =>
      because(endpoint, newRoute(route, link), `add a route through ${name}`, GATEWAY),
    ),
    ...defaultRouteMessages(endpoint, link, how),
  ];
}

/** Why an endpoint's links are asked for their carrier. */
export const firstPacket = (endpoint: Pick<Endpoint, "option">): Reason =>
  reasonFor(endpoint, "carry the first packet: the kernel acts on the carrier before it answers");

const GATEWAY = "the gateway must be within the network of one of the interface's addresses";

const newRoute = ({ to, via }: Route, link: LinkRef, how: "add" | "replace" = "add"): Request =>
  addRoute({ to: to.address, bits: to.bits, link, ...(via === undefined ? {} : { via }) }, how);

/** The way to everywhere else, where it is through this endpoint; another one that was it can be replaced. */
export function defaultRouteMessages(
  endpoint: Endpoint,
  link: LinkRef,
  how: "add" | "replace",
): NetlinkMessage[] {
  const why = `let everything else be reached through ${endpoint.interface}`;
  const all = { 4: endpoint.defaultRoute4, 6: endpoint.defaultRoute6 } as const;
  return ([4, 6] as const).flatMap((family) => {
    const hop = all[family];
    if (hop === undefined) return [];
    const to = { address: family === 4 ? "0.0.0.0" : "::", bits: 0 };
    return [because(endpoint, newRoute({ to, ...hop }, link, how), why, GATEWAY)];
  });
}

/** The kernel settings of an endpoint, its own and the one that keeps IPv6 off an IPv4-only network. */
export function sysctlsOf(endpoint: Endpoint): readonly (readonly [string, string])[] {
  const v6 = endpoint.addresses.some(({ address }) => address.includes(":"));
  return [
    [linkSetting("ipv6", endpoint.interface, "disable_ipv6"), v6 ? "0" : "1"],
    ...Object.entries(endpoint.sysctls ?? {}),
  ];
}
