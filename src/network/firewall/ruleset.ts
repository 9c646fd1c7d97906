import type { Hook } from "../../kernel/netlink/nft/requests.ts";
import type { Condition, Rule } from "../../kernel/netlink/nft/rule.ts";
import { madeOnce } from "../../oci/once.ts";
import { ASKED, HEARD_PORT } from "../dns/place.ts";
import { isV6 } from "../ports/published.ts";
import type { FirewallNetwork, FirewallState, PublishedPort } from "./types.ts";

/** A chain with its rules. The order of rules means nothing where `ordered` is false: they exclude each other. */
export interface Chain {
  readonly name: string;
  readonly hook?: Hook;
  readonly rules: readonly Rule[];
  readonly ordered: boolean;
}

/** Priorities that nft(8) has names for: dstnat, filter, srcnat. */
const DSTNAT = -100;
const FILTER = 0;
const SRCNAT = 100;

const base = (type: Hook["type"], hook: Hook["hook"], priority: number): Hook => ({
  type,
  hook,
  priority,
  policy: "accept",
});

/**
 * All rules for a state, as a pure function of it: the table `inet cais`, chain by chain. None without networks. What
 * is dropped here stays dropped, whatever other tables accept; what is accepted here can still be dropped by others.
 */
export function ruleset({ networks, ports }: FirewallState): readonly Chain[] {
  if (networks.length === 0) return [];
  const byId = new Map(networks.map((network) => [network.id, network]));
  const chains: Chain[] = [
    ...networks.map((network) => entrance(network, networks, ports)),
    { name: "ports", rules: ports.flatMap((port) => translation(port, byId)), ordered: false },
    {
      name: "forward",
      hook: base("filter", "forward", FILTER),
      // What a closed network may not send is dropped before another one's chain accepts it.
      rules: [...networks.flatMap(confined), ...networks.map(forwarded)],
      ordered: true,
    },
    {
      name: "input",
      hook: base("filter", "input", FILTER),
      rules: networks.flatMap(arriving),
      ordered: true,
    },
    {
      name: "prerouting",
      hook: base("nat", "prerouting", DSTNAT),
      rules: [...asking(networks, ports), ...fromOutside()],
      ordered: true,
    },
    { name: "output", hook: base("nat", "output", DSTNAT), rules: fromHere(), ordered: true },
    {
      name: "postrouting",
      hook: base("nat", "postrouting", SRCNAT),
      // All that leads into a network comes before what leads out of one.
      rules: [...networks.flatMap(entering), ...networks.flatMap(leaving)],
      ordered: true,
    },
  ];
  return chains;
}

const rule = (comment: string, when: readonly Condition[], then: Rule["then"], counter = true): Rule => ({
  when,
  then,
  counter,
  comment,
});
const accept = { kind: "accept" } as const;
const drop = { kind: "drop" } as const;
const masquerade = { kind: "masquerade" } as const;

const into = ({ bridge }: FirewallNetwork): Condition => ({ match: "oifname", is: "==", name: bridge });
const from = ({ bridge }: FirewallNetwork): Condition => ({ match: "iifname", is: "==", name: bridge });
const notInto = ({ bridge }: FirewallNetwork): Condition => ({ match: "oifname", is: "!=", name: bridge });
const ANSWERS: Condition = { match: "state", states: ["established", "related"] };
const PUBLISHED: Condition = { match: "status", status: "dnat" };
const source = (network: string): Condition => ({ match: "saddr", is: "==", network });
const destination = (network: string): Condition => ({ match: "daddr", is: "==", network });
const LOOPBACK = "127.0.0.0/8";

/** Nothing goes in or out but what stays within the subnet. */
const closed = ({ gatewayMode4, gatewayMode6, internal }: FirewallNetwork): boolean =>
  internal || (gatewayMode4 === "isolated" && gatewayMode6 === "isolated");

const modeOf = (network: FirewallNetwork, family: 4 | 6) =>
  family === 4 ? network.gatewayMode4 : network.gatewayMode6;
const subnetsOf = (network: FirewallNetwork, family: 4 | 6) =>
  family === 4 ? network.subnets4 : network.subnets6;
const subnets = ({ subnets4, subnets6 }: FirewallNetwork) => [...subnets4, ...subnets6];

/** Name of the chain that decides what comes in to a network. */
const entranceName = ({ bridge }: FirewallNetwork): string => `to-${bridge}`;

/** From a closed network nothing is forwarded. */
const confined = (network: FirewallNetwork): Rule[] =>
  closed(network)
    ? [rule(`network ${network.name}: internal, nothing leaves it`, [from(network), notInto(network)], drop)]
    : [];

/** What is forwarded to a network is decided in its own chain. */
const forwarded = (network: FirewallNetwork): Rule =>
  rule(
    `network ${network.name}: what comes in`,
    [into(network)],
    { kind: "jump", chain: entranceName(network) },
    false,
  );

/**
 * Into a network come answers, published ports, and in some gateway modes more. Traffic between two containers of it
 * is seen only where the kernel passes bridged frames by here (br_netfilter), or when it is translated.
 */
function entrance(
  network: FirewallNetwork,
  networks: readonly FirewallNetwork[],
  ports: readonly PublishedPort[],
): Chain {
  const name = `network ${network.name}`;
  const within = network.icc
    ? [rule(`${name}: between its containers`, [from(network)], accept)]
    : [
        rule(`${name}: answers between its containers`, [from(network), ANSWERS], accept),
        rule(`${name}: its published ports, for its own containers`, [from(network), PUBLISHED], accept),
        rule(`${name}: its containers do not reach each other`, [from(network)], drop),
      ];
  const open = closed(network)
    ? []
    : [
        rule(`${name}: answers`, [ANSWERS], accept),
        rule(`${name}: published ports`, [PUBLISHED], accept),
        ...([4, 6] as const).flatMap((family) => direct(network, family, networks, ports)),
        ...fromTrusted(network, ports),
      ];
  const rest = closed(network)
    ? `${name}: internal, nothing comes in`
    : `${name}: only published ports come in`;
  return { name: entranceName(network), rules: [...within, ...open, rule(rest, [], drop)], ordered: true };
}

/** From some of the host's interfaces published ports are reached by the containers' own addresses, too. */
function fromTrusted(network: FirewallNetwork, ports: readonly PublishedPort[]): Rule[] {
  const { trusted = [] } = network;
  return openPorts(network, ports).flatMap(({ container, containerIp, containerPort, protocol }) =>
    trusted.map((name) =>
      rule(
        `container ${container}: port ${containerPort}/${protocol}, from the trusted ${name}`,
        [
          { match: "iifname", is: "==", name },
          destination(containerIp),
          { match: "dport", protocol, port: containerPort },
        ],
        accept,
      ),
    ),
  );
}

/** Ports of containers that are published in any way, each once. */
const openPorts = ({ id }: FirewallNetwork, ports: readonly PublishedPort[]): readonly PublishedPort[] => [
  ...new Map(
    ports
      .filter(({ network }) => network === id)
      .map((port) => [`${port.containerIp} ${port.containerPort} ${port.protocol}`, port]),
  ).values(),
];

/** Without translation: by the containers' own addresses. */
function direct(
  network: FirewallNetwork,
  family: 4 | 6,
  networks: readonly FirewallNetwork[],
  ports: readonly PublishedPort[],
): Rule[] {
  const name = `network ${network.name}`;
  const mode = modeOf(network, family);
  if (subnetsOf(network, family).length === 0) return [];
  const ours: Condition = { match: "family", family: family === 4 ? "ipv4" : "ipv6" };
  if (mode === "nat-unprotected") {
    const others = networks.filter(({ id }) => id !== network.id);
    return [
      ...others.map((other) => rule(`${name}: not from network ${other.name}`, [from(other), ours], drop)),
      rule(`${name}: unprotected, by the containers' own addresses`, [ours], accept),
    ];
  }
  if (mode !== "routed") return [];
  const icmp: Condition = { match: "protocol", protocol: family === 4 ? "icmp" : "icmpv6" };
  return [
    rule(`${name}: routed, ping`, [ours, icmp], accept),
    ...openPorts(network, ports)
      .filter(({ containerIp }) => isV6(containerIp) === (family === 6))
      .map(({ container, containerIp, containerPort, protocol }) =>
        rule(
          `container ${container}: port ${containerPort}/${protocol}, routed`,
          [destination(containerIp), { match: "dport", protocol, port: containerPort }],
          accept,
        ),
      ),
  ];
}

/**
 * At the host itself: the loopback network is never a container's to reach, though `route_localnet` lets answers in
 * that are translated to it. A closed network reaches the host at its own addresses there, no others.
 */
function arriving(network: FirewallNetwork): Rule[] {
  const name = `network ${network.name}`;
  const loopback = [
    rule(`${name}: answers to 127.0.0.1`, [from(network), destination(LOOPBACK), ANSWERS], accept),
    rule(`${name}: 127.0.0.1 is the host's own`, [from(network), destination(LOOPBACK)], drop),
  ];
  if (!closed(network)) return network.subnets4.length === 0 ? [] : loopback;
  const own = [...subnets(network), ...(network.subnets6.length === 0 ? [] : ["fe80::/10", "ff00::/8"])];
  return [
    ...own.map((subnet) =>
      rule(`${name}: internal, the host at ${subnet}`, [from(network), destination(subnet)], accept),
    ),
    rule(`${name}: internal, nothing else of the host`, [from(network)], drop),
  ];
}

const HERE: Condition = { match: "local" };
const PORTS = { kind: "jump", chain: "ports" } as const;

/** Containers go on asking for names at their gateway while a port for that of every address of the host is published. */
function asking(networks: readonly FirewallNetwork[], ports: readonly PublishedPort[]): Rule[] {
  const published = ports.filter(({ hostIp, hostPort }) => ASKING.includes(hostPort) && ANY.has(hostIp));
  const taken = new Map(
    published.map(({ hostPort: port, protocol }) => [`${port}/${protocol}`, { port, protocol }]),
  );
  return networks.flatMap((network) =>
    (network.resolvers ?? []).flatMap((address) =>
      [...taken.values()].map(({ port, protocol }) =>
        rule(
          `network ${network.name}: names are asked for at ${address}`,
          [from(network), destination(address), { match: "dport", protocol, port }],
          accept,
        ),
      ),
    ),
  );
}

const ASKING: readonly number[] = [ASKED.port, HEARD_PORT];

/** A link-local address is answered to on its own link only, where the container is not: a proxy carries that, too. */
const ROUTED_6: readonly Condition[] = [
  { match: "daddr", is: "!=", network: "::1" },
  { match: "daddr", is: "!=", network: "fe80::/10" },
];

/** From elsewhere and from containers: whatever is for this host, but never for its loopback network. */
const fromOutside = (): Rule[] => [
  rule("published ports", [{ match: "daddr", is: "!=", network: LOOPBACK }, HERE], PORTS, false),
  rule("published ports", [...ROUTED_6, HERE], PORTS, false),
];

/** From this host itself, 127.0.0.1 included. An IPv6 packet from `::1` cannot leave by another interface. */
const fromHere = (): Rule[] => [
  rule("published ports", [{ match: "family", family: "ipv4" }, HERE], PORTS, false),
  rule("published ports", [...ROUTED_6, HERE], PORTS, false),
];

const ANY = new Set(["0.0.0.0", "::", ""]);

/**
 * One published port. A proxy carries it between families, from `::1`, and from the container to itself: a bridge sends
 * no frame back to where it came from.
 */
function translation(port: PublishedPort, networks: ReadonlyMap<string, FirewallNetwork>): readonly Rule[] {
  const { containerIp, hostIp, hostPort } = port;
  const v6 = isV6(containerIp);
  const network = networks.get(port.network);
  if (network === undefined || closed(network) || isV6(hostIp) !== v6 || hostIp === "::1") return [];
  if (hostPort === 0 || !["nat", "nat-unprotected"].includes(modeOf(network, v6 ? 6 : 4))) return [];
  return translated(port);
}

/** The same port has the same rule, also as an object: what is compared with before is mostly that. */
const translated = madeOnce((port: PublishedPort): readonly Rule[] => {
  const { container, containerIp, containerPort, hostIp, hostPort, protocol } = port;
  const v6 = isV6(containerIp);
  const at: Condition = ANY.has(hostIp)
    ? { match: "family", family: v6 ? "ipv6" : "ipv4" }
    : destination(hostIp);
  return [
    rule(
      `container ${container}: port ${hostPort} to ${containerPort}/${protocol}`,
      [at, { match: "saddr", is: "!=", network: containerIp }, { match: "dport", protocol, port: hostPort }],
      { kind: "dnat", address: containerIp, port: containerPort },
    ),
  ];
});

/**
 * Who reaches a published port keeps his address, with two exceptions: a container of the same network, whose answers
 * would take the short way past the translation, and 127.0.0.1, which is another one in there.
 */
function entering(network: FirewallNetwork): Rule[] {
  if (closed(network)) return [];
  const name = `network ${network.name}`;
  return [
    ...(network.subnets4.length === 0
      ? []
      : [rule(`${name}: from 127.0.0.1`, [into(network), PUBLISHED, source(LOOPBACK)], masquerade)]),
    ...subnets(network).map((subnet) =>
      rule(`${name}: to itself through the host`, [into(network), PUBLISHED, source(subnet)], masquerade),
    ),
    rule(`${name}: clients keep their addresses`, [into(network), PUBLISHED], accept),
  ];
}

/** What leaves a network leaves as this host. */
function leaving(network: FirewallNetwork): Rule[] {
  if (closed(network) || !network.masquerade) return [];
  return ([4, 6] as const)
    .filter((family) => ["nat", "nat-unprotected"].includes(modeOf(network, family)))
    .flatMap((family) => {
      const address = family === 4 ? network.hostAddress4 : network.hostAddress6;
      const then = address === undefined ? masquerade : ({ kind: "snat", address } as const);
      return subnetsOf(network, family).map((subnet) =>
        rule(`network ${network.name}: out into the world`, [source(subnet), notInto(network)], then),
      );
    });
}
