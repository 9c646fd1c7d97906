import { isUserDefined } from "../../container/endpoint.ts";
import type { NetNames } from "../../container/netfiles.ts";
import type { ContainerRecord } from "../../container/record.ts";
import { createDirectory } from "../../network/dns/directory.ts";
import { ASKED, HEARD_PORT } from "../../network/dns/place.ts";
import type { Resolver } from "../../network/dns/resolver.ts";
import { createHostServers, isLoopback } from "../../network/dns/servers.ts";
import type { NetworkDocument } from "../../network/document.ts";
import { hostAddresses } from "../../network/drivers/drivers.ts";
import { parseLink } from "../../network/names/links.ts";
import { isV6 } from "../../network/ports/published.ts";
import { reasonOf } from "../../oci/error.ts";
import { dnsNames } from "./settings.ts";
import type { Place } from "./wires.ts";

/** Names of containers on the networks that people made, and who answers for them. */
export interface Naming {
  /**
   * A container is on these networks from now on, and on no others: its names are found, and it is answered where
   * it asks. The networks' bridges must be there.
   */
  join(record: ContainerRecord, places: readonly Place[]): Promise<void>;
  leave(record: ContainerRecord): void;
  /** How what a container asks at 127.0.0.11 comes to us: over the first of its networks that leads there. */
  asksOf(places: readonly Place[]): NetNames["asks"];
  /** What a container's own files say of its networks. */
  namesOf(places: readonly Place[], links: NetNames["links"]): NetNames;
  /** A network is removed: nobody asks there any more. */
  forget(network: NetworkDocument): void;
}

/**
 * The resolver is loaded with the first network that somebody made.
 * @param changed others are on these networks, on which nobody answers, than before; told once for several changes
 */
export function createNaming(
  report: (message: string) => void,
  changed: (networks: ReadonlySet<string>) => void,
): Naming {
  const directory = createDirectory(createHostServers());
  const joined = new Map<
    string,
    { readonly named: readonly string[]; readonly unanswered: readonly string[] }
  >();
  /** Addresses at which we answer at port 53, and those at which somebody else does. */
  const answered = new Set<string>();
  const refused = new Set<string>();
  /** The same of the port for what is asked at 127.0.0.11. */
  const heard = new Set<string>();
  const deaf = new Set<string>();
  let resolver: Promise<Resolver> | undefined;

  const listen = async (address: string): Promise<void> => {
    if (answered.has(address) || heard.has(address)) return;
    resolver ??= import("../../network/dns/resolver.ts").then(({ createResolver }) =>
      createResolver(directory),
    );
    const { listen: at } = await resolver;
    if (!isV6(address)) {
      try {
        await at(address, HEARD_PORT);
        heard.add(address);
        deaf.delete(address);
      } catch (error) {
        // Containers are told to ask at the gateway.
        if (!deaf.has(address)) report(reasonOf(error));
        deaf.add(address);
      }
    }
    try {
      await at(address);
      answered.add(address);
      refused.delete(address);
    } catch (error) {
      // Containers do without names then: they are told of the host's servers.
      if (!refused.has(address) && !heard.has(address)) report(reasonOf(error));
      refused.add(address);
    }
  };

  const asksOf = (places: readonly Place[]): NetNames["asks"] => {
    for (const { network, live } of places) {
      if (live.ipv4 === null || !isUserDefined(network.name)) continue;
      const server = hostAddresses(network).find((address) => !isV6(address) && !deaf.has(address));
      if (server !== undefined) return { network: network.id, from: live.ipv4.address, server };
    }
    return undefined;
  };

  const silent = new Set<string>();
  const tell = (networks: readonly string[]): void => {
    if (networks.length === 0) return;
    if (silent.size === 0) {
      setImmediate(() => {
        const told = new Set(silent);
        silent.clear();
        changed(told);
      });
    }
    for (const network of networks) silent.add(network);
  };

  const leave = ({ id }: Pick<ContainerRecord, "id">): void => {
    const { named = [], unanswered = [] } = joined.get(id) ?? {};
    for (const network of named) directory.remove(id, network);
    joined.delete(id);
    tell(unanswered);
  };

  const neighboursOf = (places: readonly Place[]): NetNames["neighbours"] =>
    places.filter(isUnanswered).flatMap(({ network, saved, live }) =>
      directory
        .members(network.id)
        .filter(({ ipv4, ipv6 }) => ipv4 !== live.ipv4?.address || ipv6 !== live.ipv6?.address)
        .toSorted((a, b) => (a.containerId < b.containerId ? -1 : 1))
        .flatMap((member) => {
          const aliases = linksOf(saved).flatMap(({ alias, container }) =>
            member.names.includes(container) || member.containerId.startsWith(container) ? [alias] : [],
          );
          const names = [...new Set([...member.names, ...aliases])];
          return [member.ipv4, member.ipv6].flatMap((address) =>
            address === undefined ? [] : [{ address, names, network: network.name }],
          );
        }),
    );

  return {
    async join(record, places) {
      leave(record);
      const named = places.filter(({ network }) => isUserDefined(network.name));
      for (const place of named) {
        directory.add(memberOf(record, place));
        for (const address of hostAddresses(place.network)) await listen(address);
      }
      if (named.length === 0) return;
      const unanswered = named.filter(isUnanswered).map(({ network }) => network.id);
      joined.set(record.id, { named: named.map(({ network }) => network.id), unanswered });
      tell(unanswered);
    },
    leave,
    asksOf,
    namesOf(places, links) {
      const user = places.filter(({ network }) => isUserDefined(network.name));
      const asks = asksOf(user);
      const resolvers = [
        ...(asks === undefined ? [] : [ASKED.address]),
        ...user.flatMap(({ network }) => hostAddresses(network)).filter((address) => answered.has(address)),
      ];
      const host = places.map(({ network }) => hostAddresses(network)).find(({ length }) => length > 0) ?? [];
      return {
        addresses: places.flatMap(({ live }) =>
          [live.ipv4, live.ipv6].flatMap((one) => (one ? [one.address] : [])),
        ),
        host,
        links,
        neighbours: resolvers.length === 0 ? neighboursOf(user) : [],
        resolvers,
        ...(asks === undefined ? {} : { asks }),
      };
    },
    forget(network) {
      for (const address of hostAddresses(network)) {
        const [there, behind] = [answered.delete(address), heard.delete(address)];
        deaf.delete(address);
        if (there || behind) void resolver?.then((made) => made.leave(address));
      }
    },
  };
}

/** The host has no address on it at which we could be asked: beside an interface, or an isolated bridge. */
const isUnanswered = ({ network }: Place): boolean => hostAddresses(network).length === 0;

const linksOf = ({ asked }: Place["saved"]) => (asked.Links ?? []).flatMap((text) => parseLink(text) ?? []);

function memberOf(record: ContainerRecord, { network, saved, live }: Place) {
  const own = hostAddresses(network);
  const links = linksOf(saved);
  return {
    containerId: record.id,
    network: { id: network.id, name: network.name },
    names: dnsNames(record, saved.asked.Aliases ?? []),
    ipv4: live.ipv4?.address,
    ipv6: live.ipv6?.address,
    links: Object.fromEntries(links.map(({ alias, container }) => [alias, container])),
    host: { ipv4: own.find((one) => !one.includes(":")), ipv6: own.find((one) => one.includes(":")) },
    outside: !network.internal,
    // Its own loopback we cannot ask: its resolv.conf names that one itself.
    servers: (record.host.Dns ?? []).filter((server) => !isLoopback(server)),
    priority: saved.asked.GwPriority ?? 0,
  };
}
