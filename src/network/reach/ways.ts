import type { ReachWay } from "../../wire/reach.ts";
import type { FirewallNetwork, FirewallState, RuleReport } from "../firewall/types.ts";
import { isRouted, isTranslated, isV6, type PublishedPort } from "../ports/published.ts";

/** The container's end of one network. */
export interface ReachPlace {
  readonly network: FirewallNetwork;
  readonly addresses: readonly string[];
}

/** What is asked: a port of a container with its places, and all ports that it has published. */
export interface ReachQuestion {
  readonly container: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly places: readonly ReachPlace[];
  /** Of this container, proxied ones too. */
  readonly published: readonly PublishedPort[];
}

type Way = Omit<ReachWay, "packets">;

/**
 * Follows a packet to a port of a container from everybody who could send one. The words of the rules are those that
 * `firewall/ruleset` gives them: they are looked up in what the kernel has, with its counters.
 */
export function ways(
  question: ReachQuestion,
  state: FirewallState,
  rules: readonly RuleReport[],
): readonly ReachWay[] {
  const mine = new Set(question.places.map(({ network }) => network.id));
  const others = state.networks.filter(({ id }) => !mine.has(id));
  const found: Way[] = [
    ...question.places.flatMap((place) => within(question, place)),
    ...others.flatMap((network) => fromNetwork(question, network)),
    ...fromHost(question),
    ...fromElsewhere(question),
  ];
  return found.map((way) => ({ ...way, packets: packetsOf(way.rule, rules) }));
}

const at = (address: string, port: number): string =>
  isV6(address) ? `[${address}]:${port}` : `${address}:${port}`;

const closed = ({ internal, gatewayMode4, gatewayMode6 }: FirewallNetwork): boolean =>
  internal || (gatewayMode4 === "isolated" && gatewayMode6 === "isolated");
const modeOf = (network: FirewallNetwork, address: string) =>
  isV6(address) ? network.gatewayMode6 : network.gatewayMode4;

/** Neighbours on the same bridge: their frames do not pass the rules, unless they are kept apart. */
function within({ port }: ReachQuestion, { network, addresses }: ReachPlace): Way[] {
  return addresses.map((address) => ({
    from: `network ${network.name}`,
    at: at(address, port),
    reached: network.icc,
    why: network.icc
      ? `on the same bridge ${network.bridge}: no rule is passed`
      : `containers of ${network.name} are kept apart (enable_icc=false)`,
    rule: network.icc ? "" : `network ${network.name}: its containers do not reach each other`,
  }));
}

/** What stands between a client on the other side of the host and an address of the container. */
function direct(
  question: ReachQuestion,
  { network }: ReachPlace,
  address: string,
  from?: FirewallNetwork,
): Pick<Way, "reached" | "why" | "rule"> {
  const { container, port, protocol } = question;
  const name = `network ${network.name}`;
  const mode = modeOf(network, address);
  if (closed(network)) {
    return no(`${network.name} is internal`, `${name}: internal, nothing comes in`);
  }
  if (mode === "nat-unprotected") {
    return from
      ? no("networks are kept apart", `${name}: not from network ${from.name}`)
      : yes("the network is unprotected", `${name}: unprotected, by the containers' own addresses`);
  }
  const rule = `container ${container}: port ${port}/${protocol}, routed`;
  const isPublished = question.published.some(
    (one) => one.containerPort === port && one.protocol === protocol && one.containerIp === address,
  );
  if (mode === "routed" && isPublished) {
    return yes("the network is routed, if the client has a route to it", rule);
  }
  return no("only published ports come in", `${name}: only published ports come in`);
}

const yes = (why: string, rule = "") => ({ reached: true, why, rule });
const no = (why: string, rule: string) => ({ reached: false, why, rule });

/** Containers of another network: by the container's own address, and by the host's where it is published. */
function fromNetwork(question: ReachQuestion, other: FirewallNetwork): Way[] {
  const from = `network ${other.name}`;
  const shut = closed(other)
    ? no(`nothing leaves ${other.name}`, `network ${other.name}: internal, nothing leaves it`)
    : undefined;
  const addresses = question.places.flatMap((place) =>
    place.addresses
      .filter((address) => (isV6(address) ? other.subnets6 : other.subnets4).length > 0)
      .map((address) => ({
        from,
        at: at(address, question.port),
        ...(shut ?? direct(question, place, address, other)),
      })),
  );
  const published = publishedHere(question)
    .filter(({ hostIp }) => !isLoopback(hostIp))
    .filter(({ hostIp }) => (isV6(hostIp) ? other.subnets6 : other.subnets4).length > 0)
    .map((port) => ({ from, at: at(port.hostIp, port.hostPort), ...(shut ?? carried(question, port)) }));
  return [...addresses, ...published];
}

/** Programs of this host: it has an address on each bridge of its own, and its loopback. */
function fromHost(question: ReachQuestion): Way[] {
  const from = "this host";
  const addresses = question.places.flatMap(({ network, addresses }) =>
    addresses.map((address) => ({
      from,
      at: at(address, question.port),
      ...(modeOf(network, address) === "isolated"
        ? no(`the host has no address on ${network.bridge} (gateway mode isolated)`, "")
        : yes(`the host is on ${network.bridge} itself: no rule is passed`)),
    })),
  );
  const published = publishedHere(question).map((port) => ({
    from,
    at: at(port.hostIp, port.hostPort),
    ...carried(question, port),
  }));
  return [...addresses, ...published];
}

/** Other hosts, as far as this one decides: whether they find the way here is the business of what is between. */
function fromElsewhere(question: ReachQuestion): Way[] {
  const from = "other hosts";
  const addresses = question.places.flatMap((place) =>
    place.addresses.map((address) => ({
      from,
      at: at(address, question.port),
      ...direct(question, place, address),
    })),
  );
  const published = publishedHere(question).map((port) => ({
    from,
    at: at(port.hostIp, port.hostPort),
    ...(isLoopback(port.hostIp) ? no(`${port.hostIp} is only this host's own`, "") : carried(question, port)),
  }));
  return [...addresses, ...published];
}

const publishedHere = ({ published, port, protocol }: ReachQuestion): readonly PublishedPort[] =>
  published.filter((one) => one.containerPort === port && one.protocol === protocol && !isRouted(one));

const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";

/** How a published port gets to the container: by a rule, or through the engine. */
function carried({ container }: ReachQuestion, port: PublishedPort): Pick<Way, "reached" | "why" | "rule"> {
  const { containerIp, containerPort, hostPort, protocol } = port;
  if (!isTranslated(port)) {
    return yes(`the engine carries it to ${at(containerIp, containerPort)}: the kernel cannot translate it`);
  }
  return yes(
    `the kernel translates it to ${at(containerIp, containerPort)}`,
    `container ${container}: port ${hostPort} to ${containerPort}/${protocol}`,
  );
}

/** The same words may be on several rules, one for each family. */
function packetsOf(comment: string, rules: readonly RuleReport[]): number | null {
  const found = comment === "" ? [] : rules.filter((rule) => rule.comment === comment);
  return found.length === 0 ? null : Number(found.reduce((sum, { packets }) => sum + packets, 0n));
}
