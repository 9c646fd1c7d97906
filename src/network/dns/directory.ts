import { isHostName } from "../names/hosts.ts";
import type { Addresses, Names, NamesView } from "./view.ts";

/** A container's place on one network, as the resolver sees it. */
export interface Member {
  readonly containerId: string;
  readonly network: { readonly id: string; readonly name: string };
  /** Its names on this network: its own first, then aliases, short id, hostname (`DNSNames`). */
  readonly names: readonly string[];
  readonly ipv4?: string | undefined;
  readonly ipv6?: string | undefined;
  /** Alias → name or id of a container on this network, for this container only (`--link`). */
  readonly links?: Readonly<Record<string, string>> | undefined;
  /** The host's address on this network, in each family. */
  readonly host: { readonly ipv4?: string | undefined; readonly ipv6?: string | undefined };
  /** Whether names of the outside can be asked for through it (not `--internal`). */
  readonly outside: boolean;
  /** `--dns`; empty is the host's own servers. */
  readonly servers: readonly string[];
  /** The network that comes first where a name is on several: `gw-priority`, higher first. */
  readonly priority: number;
}

/** Every name on every network, kept up as containers come and go. */
export interface Directory {
  /** A container is on a network from now on; what was there for the two before is replaced. */
  add(member: Member): void;
  remove(containerId: string, networkId: string): void;
  readonly names: Names;
  /** Who is on a network. */
  members(networkId: string): readonly Member[];
  /** How often anything has changed. */
  readonly version: () => number;
}

type Network = Map<string, Set<Member>>;

/** @param hostServers the servers that the host itself asks, read at each use */
export function createDirectory(hostServers: () => readonly string[]): Directory {
  const byAddress = new Map<string, Member>();
  const byContainer = new Map<string, Member[]>();
  const networks = new Map<string, Network>();
  let version = 0;

  const remove = (containerId: string, networkId: string): void => {
    const before = byContainer.get(containerId) ?? [];
    const gone = before.find(({ network }) => network.id === networkId);
    if (!gone) return;
    version++;
    const left = before.filter((one) => one !== gone);
    if (left.length > 0) byContainer.set(containerId, left);
    else byContainer.delete(containerId);
    for (const address of addressesOf(gone)) {
      if (byAddress.get(address) === gone) byAddress.delete(address);
    }
    const names = networks.get(networkId);
    for (const name of namesOf(gone)) {
      const members = names?.get(name);
      members?.delete(gone);
      if (members?.size === 0) names?.delete(name);
    }
    if (names?.size === 0) networks.delete(networkId);
  };

  /** The members of a network that have a name there. */
  const on = (networkId: string, name: string): readonly Member[] => [
    ...(networks.get(networkId)?.get(name) ?? []),
  ];

  const linked = (member: Member, name: string): readonly Member[] => {
    const target = Object.entries(member.links ?? {}).find(([alias]) => alias.toLowerCase() === name)?.[1];
    if (target === undefined) return [];
    const named = on(member.network.id, target.toLowerCase());
    return named.length > 0
      ? named
      : (byContainer.get(target) ?? []).filter(({ network }) => network.id === member.network.id);
  };

  const find = (own: readonly Member[], name: string): readonly Member[] => {
    for (const member of own) {
      const direct = linked(member, name);
      if (direct.length > 0) return direct;
      const found = on(member.network.id, name);
      if (found.length > 0) return found;
      // `web.net`: the network's name, which may have dots itself, is the domain of those on it.
      const domain = `.${member.network.name.toLowerCase()}`;
      if (name.endsWith(domain)) {
        const full = on(member.network.id, name.slice(0, -domain.length));
        if (full.length > 0) return full;
      }
    }
    return [];
  };

  const view = (own: readonly Member[]): NamesView => ({
    lookup(name) {
      const found = find(own, name);
      if (found.length > 0) {
        return { ipv4: texts(found, "ipv4"), ipv6: texts(found, "ipv6") };
      }
      return isHostName(name) ? hostOf(own) : undefined;
    },
    reverse(address) {
      const member = byAddress.get(address);
      if (!member || !own.some(({ network }) => network.id === member.network.id)) return undefined;
      return `${member.names[0] ?? member.containerId.slice(0, 12)}.${member.network.name}`;
    },
    get upstream() {
      if (!own.some(({ outside }) => outside)) return [];
      const asked = own[0]?.servers ?? [];
      return asked.length > 0 ? asked : hostServers();
    },
  });

  return {
    add(member) {
      version++;
      remove(member.containerId, member.network.id);
      const own = [...(byContainer.get(member.containerId) ?? []), member];
      own.sort((a, b) => b.priority - a.priority || (a.network.name < b.network.name ? -1 : 1));
      byContainer.set(member.containerId, own);
      for (const address of addressesOf(member)) byAddress.set(address, member);
      const names = networks.get(member.network.id) ?? new Map<string, Set<Member>>();
      networks.set(member.network.id, names);
      for (const name of namesOf(member)) {
        const members = names.get(name);
        if (members) members.add(member);
        else names.set(name, new Set([member]));
      }
    },
    remove,
    members: (networkId) => [
      ...new Set([...(networks.get(networkId)?.values() ?? [])].flatMap((all) => [...all])),
    ],
    version: () => version,
    names(asker) {
      const member = byAddress.get(asker);
      const own = member && byContainer.get(member.containerId);
      return own && view(own);
    },
  };
}

const addressesOf = ({ ipv4, ipv6 }: Member): string[] =>
  [ipv4, ipv6].filter((address) => address !== undefined);

const namesOf = ({ names }: Member): Set<string> => new Set(names.map((name) => name.toLowerCase()));

const texts = (members: readonly Member[], family: "ipv4" | "ipv6"): string[] =>
  members.map((member) => member[family]).filter((address) => address !== undefined);

/** The host is behind the first network that it has an address on. */
function hostOf(own: readonly Member[]): Addresses {
  const first = own.find(({ host }) => host.ipv4 !== undefined || host.ipv6 !== undefined)?.host;
  return { ipv4: first?.ipv4 ? [first.ipv4] : [], ipv6: first?.ipv6 ? [first.ipv6] : [] };
}
