import { randomBytes } from "node:crypto";
import { Refusal } from "../oci/error.ts";
import type { NetworkCreateRequest, NetworkPool } from "../wire/network.ts";
import { formatAddress, formatSubnet, overlaps, parseAddress, parseSubnet, type Subnet } from "./address.ts";
import { firstAddress, neverGiven } from "./allocate.ts";
import type { NetworkDocument, NetworkId, Pool } from "./document.ts";
import type { DriverFacts } from "./drivers/driver.ts";
import { driverNamed } from "./drivers/drivers.ts";
import { familyOf } from "./options.ts";
import { poolsOf } from "./pool.ts";
import { joined, wrongPools } from "./pool-check.ts";
import { freeSubnet4, freeSubnet6 } from "./pools.ts";

/** What a new network is checked against. */
export interface CreateFacts extends DriverFacts {
  /** RFC 3339 with nanoseconds. */
  readonly now: string;
  /** Blocks that the host uses: pools that nobody chose keep clear of them. */
  readonly hostSubnets: readonly Subnet[];
  /** What this machine's unique local addresses are made from. */
  readonly machine: string;
}

const PREDEFINED: readonly string[] = ["bridge", "host", "none", "default"];

/**
 * The document of a network as it is asked for, with everything filled in that was not. Nothing is made yet.
 * @throws Refusal with Docker's sentence
 */
export function draftNetwork(request: NetworkCreateRequest, facts: CreateFacts): NetworkDocument {
  const { Name: name } = request;
  checkName(name);
  const wrong = wrongPools(poolsAsked(request));
  if (wrong.length > 0) throw invalid(joined("invalid network config", wrong));
  if (PREDEFINED.includes(name)) throw forbidden(`operation is not permitted on predefined ${name} network `);
  if (facts.others.some((other) => other.name === name))
    throw new Refusal("conflict", `network with name ${name} already exists`);
  refuseSwarm(request);
  const from = configOf(request, facts.others);
  const asked = from === undefined ? request : withConfig(request, from);
  const driver = driverNamed(request.ConfigOnly ? "null" : asked.Driver || "bridge");
  if (!driver) throw notFound(`plugin "${String(asked.Driver).slice(0, 80)}" not found`);
  const ipam = asked.IPAM?.Driver || "default";
  if (ipam !== "default") throw notFound(`plugin "${ipam.slice(0, 80)}" not found`);
  const four = familyOf(4, asked.EnableIPv4, asked.Options ?? {});
  const six = familyOf(6, asked.EnableIPv6, asked.Options ?? {});
  const [ipv4, ipv6] = [four.on, six.on];
  if (!ipv4 && !ipv6) throw invalid("IPv4 or IPv6 must be enabled");
  const draft: NetworkDocument = {
    format: 1,
    id: randomBytes(32).toString("hex") as NetworkId,
    name,
    created: facts.now,
    driver: driver.name,
    ipv4,
    ipv6,
    internal: asked.Internal ?? false,
    attachable: asked.Attachable ?? false,
    scope: "local",
    configOnly: request.ConfigOnly ?? false,
    configFrom: from?.name ?? "",
    pools: [],
    ipamDriver: ipam,
    ipamOptions: asked.IPAM?.Options ?? null,
    options: Object.fromEntries(
      Object.entries(asked.Options ?? {}).filter(
        ([option]) => option !== four.without && option !== six.without,
      ),
    ),
    labels: asked.Labels ?? {},
  };
  const pools = driver.addressed || draft.configOnly ? fillPools(draft, poolsAsked(asked), facts) : [];
  const network = { ...draft, pools };
  driver.check(network, facts);
  return network;
}

/** Longer than any name that means something, and free of what would break a line of a list. */
function checkName(name: string): void {
  if (name.trim() === "") throw invalid("invalid name: name is empty");
  if (name.length > 255) throw invalid("invalid name: it is longer than 255 characters");
  if (/[\p{Cc}/]/u.test(name)) throw invalid("invalid name: it has a slash or a control character");
  // A key of containers' documents, and no key at all in JavaScript.
  if (name === "__proto__") throw invalid("invalid name: __proto__ cannot be the name of a network");
}

function refuseSwarm({ Driver, Scope, Ingress }: NetworkCreateRequest): void {
  if (Driver === "overlay") {
    throw forbidden(
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    );
  }
  if (Scope === "swarm") throw forbidden("cannot create a swarm scoped network when swarm is not active");
  if (Scope !== undefined && Scope !== "" && Scope !== "local")
    throw invalid(`unknown scope ${Scope.slice(0, 80)}: networks of this engine are of scope local`);
  if (Ingress) throw forbidden("Ingress network can only be global scope network");
}

/** The configuration-only network that is named. */
function configOf(
  { ConfigFrom, ConfigOnly }: NetworkCreateRequest,
  others: readonly NetworkDocument[],
): NetworkDocument | undefined {
  const name = ConfigFrom?.Network ?? "";
  if (name === "") return undefined;
  if (ConfigOnly) throw forbidden("configuration network cannot depend on another configuration network");
  const found = others.find((other) => other.configOnly && (other.name === name || other.id === name));
  if (!found) throw notFound(`configuration network "${name.slice(0, 80)}" does not exist`);
  return found;
}

function withConfig(request: NetworkCreateRequest, from: NetworkDocument): NetworkCreateRequest {
  const own = [request.IPAM?.Config?.length, Object.keys(request.Options ?? {}).length, request.EnableIPv6];
  if (own.some(Boolean)) {
    throw forbidden(
      "user specified configurations are not supported if the network depends on a configuration network",
    );
  }
  return {
    ...request,
    EnableIPv4: from.ipv4,
    EnableIPv6: from.ipv6,
    Internal: from.internal,
    Options: from.options,
    Labels: { ...from.labels, ...request.Labels },
    IPAM: { Driver: from.ipamDriver, Options: from.ipamOptions, Config: from.pools.map(poolShown) },
  };
}

const poolsAsked = ({ IPAM }: NetworkCreateRequest): NetworkPool[] =>
  (IPAM?.Config ?? []).filter((pool) => pool !== null);

/** What `inspect` shows of a pool, and what was asked for. */
export const poolShown = ({
  subnet,
  range,
  gateway,
  gatewayChosen,
  chosen,
  reserved,
}: Pool): NetworkPool => ({
  Subnet: subnet,
  ...(range === undefined ? {} : { IPRange: range }),
  ...(gateway !== "" && (gatewayChosen || !chosen) ? { Gateway: gateway } : {}),
  ...(reserved === undefined ? {} : { AuxiliaryAddresses: reserved }),
});

function fillPools(draft: NetworkDocument, asked: readonly NetworkPool[], facts: CreateFacts): Pool[] {
  const driver = driverNamed(draft.driver);
  const keeps = (family: 4 | 6): boolean =>
    draft.configOnly || (driver?.keepsGateway(draft, family) ?? false);
  // Docker keeps the families apart, and IPv4 comes first.
  const chosen = asked
    .map((pool) => chosenPool(pool, keeps))
    .toSorted((a, b) => Number(a.subnet.includes(":")) - Number(b.subnet.includes(":")));
  if (draft.configOnly) return chosen;
  const others = facts.others.flatMap(poolsOf).map(({ subnet }) => subnet);
  const own: Subnet[] = [];
  for (const { subnet } of poolsOf({ ...draft, pools: chosen })) {
    if (own.some((other) => overlaps(other, subnet)) || others.some((other) => overlaps(other, subnet)))
      throw forbidden("invalid pool request: Pool overlaps with other one on this address space");
    own.push(subnet);
  }
  const has = (family: 4 | 6): boolean => own.some((subnet) => subnet.family === family);
  const taken = [...others, ...own, ...facts.hostSubnets];
  const pools = [...chosen];
  if (draft.ipv4 && !has(4)) pools.unshift(foundPool(freeSubnet4(taken), keeps(4)));
  if (draft.ipv6 && !has(6)) pools.push(foundPool(freeSubnet6(facts.machine, taken), keeps(6)));
  return pools;
}

function chosenPool(
  { Subnet, IPRange, Gateway, AuxiliaryAddresses }: NetworkPool,
  keepsGateway: (family: 4 | 6) => boolean,
): Pool {
  const subnet = parseSubnet(Subnet ?? "")!;
  const range = IPRange ? parseSubnet(IPRange)! : undefined;
  const reserved = Object.entries(AuxiliaryAddresses ?? {}).map(
    ([name, text]) => [name, formatAddress(parseAddress(text)!)] as const,
  );
  const wanted = Gateway ? parseAddress(Gateway) : null;
  const keeps = wanted !== null || keepsGateway(subnet.family);
  const gateway = wanted ?? (keeps ? firstAddress(subnet, range) : null);
  if (keeps && gateway === null)
    throw invalid(`invalid subnet ${formatSubnet(subnet)}: it has no room for a gateway`);
  const gatewayText = gateway === null ? "" : formatAddress(gateway);
  if (gateway !== null && neverGiven(subnet, gateway))
    throw forbidden(`failed to allocate gateway (${gatewayText}): Address already in use`);
  const clash = reserved.find(([, text]) => text === gatewayText);
  if (clash) {
    throw forbidden(
      `failed to allocate secondary ip address (${clash[0]}:${clash[1]}): Address already in use`,
    );
  }
  return {
    subnet: formatSubnet(subnet),
    ...(range ? { range: formatSubnet(range) } : {}),
    gateway: gatewayText,
    ...(reserved.length > 0 ? { reserved: Object.fromEntries(reserved) } : {}),
    chosen: true,
    gatewayChosen: Boolean(Gateway),
  };
}

/** @throws Refusal when no block of the default pools is free */
export function foundPool(subnet: Subnet | null, keepsGateway = true): Pool {
  if (subnet === null)
    throw invalid("all predefined address pools have been fully subnetted: choose one with --subnet");
  return {
    subnet: formatSubnet(subnet),
    gateway: keepsGateway ? formatAddress(firstAddress(subnet, undefined)!) : "",
    chosen: false,
    gatewayChosen: false,
  };
}

const invalid = (message: string): Refusal => new Refusal("invalid", message);
const forbidden = (message: string): Refusal => new Refusal("forbidden", message);
const notFound = (message: string): Refusal => new Refusal("notFound", message);
