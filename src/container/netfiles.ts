import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Asks } from "../network/endpoint.ts";
import {
  BASE,
  changedHosts,
  extraLines,
  type HostsFacts,
  hostNameLines,
  hostsText,
  relinkedHosts,
  unlinkedHosts,
  withNeighbours,
} from "../network/names/hosts.ts";
import { resolvText } from "../network/names/resolvconf.ts";
import type { ContainerConfig, HostConfig } from "../wire/container.ts";
import { hasIPv6 } from "./endpoint.ts";
import { shortId } from "./id.ts";

/** The files about names and networks that are mounted into a container. */
export interface NetFiles {
  readonly hostname: string;
  readonly hosts: string;
  readonly resolvConf: string;
}

/** Where they are for the container with this folder. */
export const netFilesOf = (folder: string): NetFiles => ({
  hostname: `${folder}/hostname`,
  hosts: `${folder}/hosts`,
  resolvConf: `${folder}/resolv.conf`,
});

/** What a container's networks add to its files. */
export interface NetNames {
  /** Its own addresses, network by network. */
  readonly addresses: readonly string[];
  /** The host's addresses as it reaches them. */
  readonly host: readonly string[];
  /** Links on the default bridge. */
  readonly links: HostsFacts["links"];
  /** Others on networks on which we answer no questions; none where a resolver of ours answers it anywhere. */
  readonly neighbours: HostsFacts["neighbours"];
  /** Where our resolver answers it, at best first; empty where only other servers do. */
  readonly resolvers: readonly string[];
  /** The way of what it asks at 127.0.0.11, where it does. */
  readonly asks?: (Asks & { readonly network: string }) | undefined;
}

/** The part of a container's configuration that is in the files. */
export interface Named {
  readonly id: string;
  readonly config: ContainerConfig;
  readonly host: HostConfig;
}

/** Writes the three for one start; what the last start's container changed in them is gone, as in Docker. */
export function writeNetFiles(folder: string, container: Named, names: NetNames): void {
  const files = netFilesOf(folder);
  mkdirSync(folder, { recursive: true, mode: 0o710 });
  writeFileSync(files.hostname, `${hostnameOf(container)}\n`, { mode: 0o644 });
  const hosts = isShared(container) ? sharedHosts(container) : hostsText(hostsFacts(container, names));
  writeFileSync(files.hosts, hosts, { mode: 0o644 });
  writeFileSync(files.resolvConf, resolvOf(container, names), { mode: 0o644 });
}

/**
 * Brings them up to date in a container that runs: they are mounted there, so they stay the same files. Lines that
 * people wrote stay; a resolv.conf that people changed is left alone.
 */
export function changeNetFiles(folder: string, container: Named, before: NetNames, after: NetNames): void {
  const files = netFilesOf(folder);
  const hosts = read(files.hosts) ?? BASE;
  const wanted = changedHosts(hosts, hostsFacts(container, before), hostsFacts(container, after));
  if (wanted !== hosts) writeFileSync(files.hosts, wanted);
  const resolv = resolvOf(container, after);
  const untouched = read(files.resolvConf) === resolvOf(container, before);
  if (untouched && resolv !== read(files.resolvConf)) writeFileSync(files.resolvConf, resolv);
}

/**
 * A container that this one is linked to has another address.
 * @param gone links that are no more
 */
export function relinkNetFiles(folder: string, links: NetNames["links"], gone: NetNames["links"] = []): void {
  const { hosts } = netFilesOf(folder);
  const before = read(hosts) ?? "";
  const after = relinkedHosts(unlinkedHosts(before, gone), links);
  if (after !== before) writeFileSync(hosts, after);
}

/** Other containers have come to its networks, or have left them. */
export function neighbourNetFiles(folder: string, neighbours: NetNames["neighbours"]): void {
  const { hosts } = netFilesOf(folder);
  const before = read(hosts);
  if (before === null) return;
  const after = withNeighbours(before, neighbours);
  if (after !== before) writeFileSync(hosts, after);
}

const isShared = ({ host }: Named): boolean => host.NetworkMode === "host";
const hostnameOf = ({ id, config }: Named): string => config.Hostname || shortId(id);

function hostsFacts(
  container: Named,
  { addresses, host, links, neighbours, resolvers }: NetNames,
): HostsFacts {
  return {
    hostname: hostnameOf(container),
    domainname: container.config.Domainname ?? "",
    ipv6: hasIPv6(container.host),
    extraHosts: container.host.ExtraHosts ?? [],
    host,
    links,
    addresses,
    neighbours,
    hostNames: resolvers.length === 0,
  };
}

/** On the host's network: the host's own file, or Docker's first lines where there is something to add. */
function sharedHosts({ host }: Named): string {
  const extra = extraLines(host.ExtraHosts ?? [], [LOOPBACK]);
  const own = extra.length > 0 ? BASE : (read("/etc/hosts") ?? BASE);
  return [own.endsWith("\n") ? own : `${own}\n`, ...extra, ...hostNameLines([LOOPBACK])].join("");
}

const LOOPBACK = "127.0.0.1";

function resolvOf(container: Named, { addresses, resolvers }: NetNames): string {
  const { Dns, DnsSearch, DnsOptions } = container.host;
  return resolvText({
    servers: Dns ?? [],
    search: DnsSearch ?? [],
    options: DnsOptions ?? [],
    resolvers,
    shared: isShared(container),
    ipv6: addresses.some((address) => address.includes(":")),
  });
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
