import { readFileSync } from "node:fs";
import { isLoopback, parseResolvConf, type ResolvConf } from "../dns/servers.ts";

/** What a container's resolv.conf is made from. */
export interface ResolvFacts {
  /** `--dns`, `--dns-search`, `--dns-option`; what is empty comes from the host. */
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
  /** Where our resolver answers this container, at best first; empty on networks without one. */
  readonly resolvers: readonly string[];
  /** Its network is the host's own: the host's servers as they are. */
  readonly shared: boolean;
  /** Whether the container can reach IPv6 servers. */
  readonly ipv6: boolean;
}

/** Docker's, for a host whose only servers listen on its loopback, where no container reaches them. */
const PUBLIC = ["8.8.8.8", "8.8.4.4"];
const PUBLIC_V6 = ["2001:4860:4860::8888", "2001:4860:4860::8844"];

/**
 * The file: servers, search list and options, each the container's own where it is given, the host's otherwise.
 * @param host the host's own configuration
 */
export function resolvText(facts: ResolvFacts, host: ResolvConf = hostResolvConf()): string {
  // Docker: a single dot is no search list at all.
  const search = (facts.search.length > 0 ? facts.search : host.search).filter((domain) => domain !== ".");
  const options = facts.options.length > 0 ? [...facts.options] : [...host.options];
  // A name without a dot is a container's: it is asked for as it is before the search list is tried.
  if (facts.resolvers.length > 0 && !options.some((one) => one.startsWith("ndots:"))) options.push("ndots:0");
  const lines = [
    ...serversOf(facts, host).map((server) => `nameserver ${server}`),
    ...(search.length > 0 ? [`search ${search.join(" ")}`] : []),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function serversOf({ servers, resolvers, shared, ipv6 }: ResolvFacts, host: ResolvConf): readonly string[] {
  if (resolvers.length > 0) {
    // A server on the container's own loopback is asked from there: we cannot reach it.
    const [ours] = resolvers;
    return [...resolvers.slice(0, 1), ...servers.filter((server) => isLoopback(server) && server !== ours)];
  }
  if (servers.length > 0) return servers;
  if (shared) return host.servers;
  const reachable = host.servers.filter((server) => !isLoopback(server) && (ipv6 || !server.includes(":")));
  if (reachable.length > 0) return reachable;
  return ipv6 ? [...PUBLIC, ...PUBLIC_V6] : PUBLIC;
}

const RESOLVED = "/run/systemd/resolve/resolv.conf";

/**
 * The host's configuration. Where its only server is systemd-resolved's stub, the servers that that one asks are in a
 * file of their own (systemd-resolved.service(8)).
 */
export function hostResolvConf(read: (path: string) => string = readText): ResolvConf {
  const own = parseResolvConf(read("/etc/resolv.conf"));
  if (own.servers.length !== 1 || own.servers[0] !== "127.0.0.53") return own;
  const behind = parseResolvConf(read(RESOLVED));
  return behind.servers.length > 0 ? behind : own;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
