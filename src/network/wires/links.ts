import type { Value } from "../../kernel/netlink/chunk.ts";
import type { Request } from "../../kernel/netlink/message.ts";
import { addAddress } from "../../kernel/netlink/route/address.ts";
import { addLink, type LinkRef, type NewLink, setLink } from "../../kernel/netlink/route/link.ts";
import { addRoute } from "../../kernel/netlink/route/route.ts";
import type { NetlinkMessage, Reason } from "../../plan/step.ts";
import type { Endpoint } from "../endpoint.ts";

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
  return because(
    endpoint,
    addLink(newLink(endpoint, inside, upper)),
    `connect the container to network ${network}`,
    HINTS[link.driver],
  );
}

const HINTS = {
  bridge:
    "EEXIST: an interface of that name is there already; EOPNOTSUPP: this kernel has no veth (CONFIG_VETH, modprobe veth)",
  macvlan:
    "EOPNOTSUPP: this kernel has no macvlan (CONFIG_MACVLAN, modprobe macvlan); EBUSY or EINVAL: the parent interface already carries a bridge, an ipvlan, or a macvlan in passthru mode",
  ipvlan:
    "EOPNOTSUPP: this kernel has no ipvlan (CONFIG_IPVLAN, modprobe ipvlan); EBUSY or EINVAL: the parent interface already carries a bridge, a macvlan, or an ipvlan of another mode",
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
        ...(mtu === undefined ? {} : { mtu }),
        peer: inside,
      };
    case "macvlan":
      return { ...inside, kind: "macvlan", parent: upper, mode: link.mode };
    case "ipvlan":
      return { ...inside, kind: "ipvlan", parent: upper, mode: link.mode, flag: link.flag };
  }
}

/** In the container's namespace: addresses, up, routes; an address must be there before it is a route's source. */
export function configureMessages(endpoint: Endpoint, link: LinkRef): NetlinkMessage[] {
  const name = endpoint.interface;
  const address = "the address is not one of this network, or another interface of the container has it";
  const gateway = "the gateway must be within the network of one of the interface's addresses";
  const routes = [
    ...(endpoint.routes ?? []),
    ...(endpoint.defaultRoute4 === undefined
      ? []
      : [{ to: { address: "0.0.0.0", bits: 0 }, ...endpoint.defaultRoute4 }]),
    ...(endpoint.defaultRoute6 === undefined
      ? []
      : [{ to: { address: "::", bits: 0 }, ...endpoint.defaultRoute6 }]),
  ];
  return [
    ...endpoint.addresses.map((each) =>
      because(endpoint, addAddress(link, each.address, each.bits), `give ${name} its address`, address),
    ),
    because(endpoint, setLink(link, { up: true }), `bring ${name} up`),
    ...routes.map(({ to, via }) =>
      because(
        endpoint,
        addRoute({ to: to.address, bits: to.bits, link, ...(via === undefined ? {} : { via }) }),
        to.bits === 0 ? `let everything else be reached through ${name}` : `add a route through ${name}`,
        gateway,
      ),
    ),
  ];
}

/** The kernel settings of an endpoint, its own and the one that keeps IPv6 off an IPv4-only network. */
export function sysctlsOf(endpoint: Endpoint): readonly (readonly [string, string])[] {
  const v6 = endpoint.addresses.some(({ address }) => address.includes(":"));
  return [
    [`net.ipv6.conf.${endpoint.interface}.disable_ipv6`, v6 ? "0" : "1"],
    ...Object.entries(endpoint.sysctls ?? {}),
  ];
}
