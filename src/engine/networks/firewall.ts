import { isUserDefined } from "../../container/endpoint.ts";
import { formatSubnet } from "../../network/address.ts";
import type { NetworkDocument } from "../../network/document.ts";
import { bridgeName } from "../../network/drivers/bridge.ts";
import { hostAddresses } from "../../network/drivers/drivers.ts";
import type { FirewallState, PublishedPort } from "../../network/firewall/types.ts";
import { bridgeOptionsOf } from "../../network/options.ts";
import { poolsOf } from "../../network/pool.ts";

/** The rules' state for networks that have bridges, in the order of their ids: the same networks give the same text. */
export function firewallState(
  networks: readonly NetworkDocument[],
  ports: readonly PublishedPort[],
): FirewallState {
  return {
    networks: networks
      .filter(({ driver }) => driver === "bridge")
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((network) => {
        const options = bridgeOptionsOf(network);
        const { icc, masquerade, gatewayMode4, gatewayMode6, trusted } = options;
        const { hostAddress4, hostAddress6 } = options;
        const subnets = (family: 4 | 6): string[] =>
          poolsOf(network)
            .filter((pool) => pool.family === family)
            .map(({ subnet }) => formatSubnet(subnet));
        return {
          id: network.id,
          name: network.name,
          bridge: bridgeName(network),
          subnets4: subnets(4),
          subnets6: subnets(6),
          internal: network.internal,
          icc,
          masquerade,
          gatewayMode4,
          gatewayMode6,
          ...(trusted.length > 0 ? { trusted } : {}),
          ...(hostAddress4 === undefined ? {} : { hostAddress4 }),
          ...(hostAddress6 === undefined ? {} : { hostAddress6 }),
          ...(isUserDefined(network.name) ? { resolvers: hostAddresses(network) } : {}),
        };
      }),
    ports,
  };
}
