import { poolShown } from "../../network/create.ts";
import type { NetworkDocument } from "../../network/document.ts";
import type { Network, NetworkMember } from "../../wire/network.ts";
import type { Context } from "../context.ts";

/** A network as answers have it; lists leave its members out. */
export function networkView(
  network: NetworkDocument,
  members: Readonly<Record<string, NetworkMember>> = {},
): Network {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: network.scope,
    Driver: network.driver,
    EnableIPv4: network.ipv4,
    EnableIPv6: network.ipv6,
    IPAM: {
      Driver: network.ipamDriver,
      Options: network.ipamOptions,
      Config: network.pools.length > 0 ? network.pools.map(poolShown) : null,
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: network.configFrom },
    ConfigOnly: network.configOnly,
    Containers: members,
    Options: network.options,
    Labels: network.labels,
  };
}

/** The containers that are on a network now, by id. */
export function membersOf(
  { containers }: Pick<Context, "containers">,
  network: NetworkDocument,
): Record<string, NetworkMember> {
  const members: Record<string, NetworkMember> = {};
  for (const { record } of containers.values()) {
    const live = Object.values(record.endpoints).find((one) => one.live?.networkId === network.id)?.live;
    if (!live) continue;
    members[record.id] = {
      Name: record.name,
      EndpointID: live.id,
      MacAddress: live.mac,
      IPv4Address: live.ipv4 ? `${live.ipv4.address}/${live.ipv4.bits}` : "",
      IPv6Address: live.ipv6 ? `${live.ipv6.address}/${live.ipv6.bits}` : "",
    };
  }
  return members;
}
