import { Refusal } from "../../oci/error.ts";
import { formatSubnet, overlaps, parseSubnet } from "../address.ts";
import type { NetworkDocument } from "../document.ts";
import type { Prefix } from "../endpoint.ts";
import { bridgeOptionsOf } from "../options.ts";
import { poolsOf } from "../pool.ts";
import type { Driver } from "./driver.ts";

/** The interface of a bridge network: as its option says, or `br-` and 12 digits of its id as Docker names it. */
export const bridgeName = (network: NetworkDocument): string =>
  bridgeOptionsOf(network).name ?? `br-${network.id.slice(0, 12)}`;

/** Containers on a bridge of the host, which is their gateway and masquerades for them. */
export const bridge: Driver = {
  name: "bridge",
  addressed: true,
  check(network, { others, linkExists, hostAddresses }) {
    const name = bridgeName(network);
    if (network.pools.filter(({ subnet }) => !subnet.includes(":")).length > 1)
      throw new Refusal("forbidden", "bridge driver doesn't support multiple subnets");
    const same = others.find((other) => other.driver === "bridge" && bridgeName(other) === name);
    if (same) {
      throw new Refusal(
        "forbidden",
        `cannot create network ${network.id} (${name}): conflicts with network ${same.id} (${name}): networks have same bridge name`,
      );
    }
    if (linkExists(name)) {
      throw new Refusal(
        "conflict",
        `cannot create network ${network.name}: the host has an interface ${name} already: choose another name with --opt com.docker.network.bridge.name=NAME`,
      );
    }
    for (const { subnet, chosen } of network.pools) {
      const block = parseSubnet(subnet)!;
      const own = hostAddresses.find((address) => chosen && overlaps(address.subnet, block));
      if (own) {
        throw new Refusal(
          "forbidden",
          `cannot create network ${network.name}: its subnet ${subnet} overlaps with ${formatSubnet(own.subnet)} of ${own.link === "" ? "the host" : `the host's interface ${own.link}`}: choose another subnet`,
        );
      }
    }
  },
  bridge(network) {
    const { inhibit4, gatewayMode4, gatewayMode6, mtu, hostBinding } = bridgeOptionsOf(network);
    const addresses: Prefix[] = poolsOf(network)
      .filter(
        ({ family, pool }) =>
          pool.gateway !== "" &&
          !(family === 4 ? inhibit4 || gatewayMode4 === "isolated" : gatewayMode6 === "isolated"),
      )
      .map(({ pool, subnet }) => ({ address: pool.gateway, bits: subnet.length }));
    const outward = !network.internal;
    return {
      network: network.name,
      name: bridgeName(network),
      addresses,
      forward4: outward && network.ipv4,
      forward6: outward && network.ipv6,
      routeLocalnet: outward && network.ipv4 && (hostBinding === undefined || !inhibit4),
      ...(network.ipv6 && gatewayMode6 === "isolated" ? { without6: true } : {}),
      ...(mtu === undefined ? {} : { mtu }),
      option: `--network ${network.name}`,
    };
  },
  parent: () => null,
  outward: (network, family) => (network.internal || isIsolated(network, family) ? "nowhere" : "gateway"),
  // Nobody has a way through it where the bridge has no address and nothing leads outside.
  keepsGateway: (network, family) =>
    !isIsolated(network, family) && !(family === 4 && network.internal && bridgeOptionsOf(network).inhibit4),
  link: (network, host) => ({
    driver: "bridge",
    bridge: bridgeName(network),
    host,
    ...(bridgeOptionsOf(network).icc ? {} : { isolated: true }),
  }),
  mtu: (network) => bridgeOptionsOf(network).mtu,
  interfacePrefix: (network) => bridgeOptionsOf(network).interfacePrefix,
};

const isIsolated = (network: NetworkDocument, family: 4 | 6): boolean => {
  const { gatewayMode4, gatewayMode6 } = bridgeOptionsOf(network);
  return (family === 4 ? gatewayMode4 : gatewayMode6) === "isolated";
};
