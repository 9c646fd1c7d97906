/** What the hosts file of a container with a network of its own is made from. */
export interface HostsFacts {
  readonly hostname: string;
  readonly domainname: string;
  /** Whether it has IPv6: a container without has none in the file either. */
  readonly ipv6: boolean;
  /** `--add-host`: `name:address`, `name=address`; the address `host-gateway` is the host. */
  readonly extraHosts: readonly string[];
  /** The host's addresses, as the container reaches it: at most one of each family. */
  readonly host: readonly string[];
  /** Containers it is linked to on the default bridge, each with all its names. */
  readonly links: readonly { readonly address: string; readonly names: readonly string[] }[];
  /** Its own addresses, network by network. */
  readonly addresses: readonly string[];
  /** Other containers of networks on which nobody answers questions for names, with all their names there. */
  readonly neighbours: readonly Neighbour[];
  /** Whether the host's fixed names are in the file: without a resolver of ours there is no other place. */
  readonly hostNames: boolean;
}

/** A container of the same network. */
export interface Neighbour {
  readonly address: string;
  readonly names: readonly string[];
  /** Name of the network. */
  readonly network: string;
}

/** Docker's first lines. */
export const BASE = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

/** Names of the host that every container finds. */
const HOST_NAMES = ["host.docker.internal", "host.cais.internal", "gateway.docker.internal"];
/** The line that has them, for each address of the host. */
export const hostNameLines = (addresses: readonly string[]): string[] =>
  addresses.map((address) => line(address, HOST_NAMES));
/** Whether a name, in lower case, is one of them. */
export const isHostName = (name: string): boolean => HOST_NAMES.includes(name);

/** The whole file, in Docker's order; the host's own names, which Docker has not, come last. */
export function hostsText(facts: HostsFacts): string {
  const lines = [
    ...extraLines(facts.extraHosts, facts.host),
    ...facts.links.map(({ address, names }) => line(address, names)),
    ...facts.addresses.map((address) => ownLine(facts, address)),
    ...(facts.hostNames ? hostNameLines(facts.host) : []),
  ];
  return withNeighbours(
    ofItsFamilies([...BASE.split(/(?<=\n)/), ...lines], facts).join(""),
    facts.neighbours,
  );
}

/** Lines that begin with an address of IPv6 are not for those who have none. */
const ofItsFamilies = (lines: readonly string[], { ipv6 }: HostsFacts): readonly string[] =>
  ipv6 ? lines : lines.filter((one) => !/^[^\t]*:/.test(one));

/** What our lines about neighbours end with: they are known again without anything being remembered. */
const MARK = " # on network ";

/** The file with these neighbours and no others; lines of anybody else stay. */
export function withNeighbours(text: string, neighbours: readonly Neighbour[]): string {
  const kept = text
    .split(/(?<=\n)/)
    .filter((one) => !one.includes(MARK))
    .join("");
  if (neighbours.length === 0) return kept;
  const lines = neighbours.flatMap(({ address, names, network }) => {
    // An alias can be anything; in this file it must not be the end of its word, or of its line.
    const words = names.filter((name) => /^[^\s#]{1,253}$/.test(name));
    return words.length === 0 ? [] : [`${line(address, words).trimEnd()}${MARK}${network}\n`];
  });
  return (kept === "" || kept.endsWith("\n") ? kept : `${kept}\n`) + lines.join("");
}

/** Lines for `--add-host`, without anything else: for containers on the host's network. */
export const extraLines = (extraHosts: readonly string[], host: readonly string[]): string[] =>
  extraHosts.flatMap((entry) => {
    const at = entry.search(/[:=]/);
    const [name, address] = [entry.slice(0, at), entry.slice(at + 1).replace(/^\[|\]$/g, "")];
    return address === "host-gateway" ? host.map((one) => line(one, [name])) : [line(address, [name])];
  });

/**
 * The file after its networks changed: only lines about its own addresses and the host's names go and come, so that
 * what a person wrote into it stays, as in Docker.
 */
export function changedHosts(text: string, before: HostsFacts, after: HostsFacts): string {
  const gone = (facts: HostsFacts): readonly string[] =>
    ofItsFamilies(
      [
        ...facts.addresses.map((address) => ownLine(facts, address)),
        ...(facts.hostNames ? hostNameLines(facts.host) : []),
      ],
      facts,
    );
  const [old, wanted] = [gone(before), gone(after)];
  const kept = text
    .split(/(?<=\n)/)
    .filter((one) => !old.includes(one) || wanted.includes(one))
    .join("");
  const missing = wanted.filter((one) => !kept.includes(one));
  const changed = (kept === "" || kept.endsWith("\n") ? kept : `${kept}\n`) + missing.join("");
  return withNeighbours(changed, after.neighbours);
}

/** The file after a linked container has got another address: the line with its names is the link's. */
export function relinkedHosts(text: string, links: HostsFacts["links"]): string {
  return links.reduce((left, { address, names }) => {
    const lines = left.split("\n");
    const at = lines.findIndex((one) => one.endsWith(`\t${names.join(" ")}`));
    if (at >= 0) lines[at] = line(address, names).trimEnd();
    return lines.join("\n");
  }, text);
}

/** The file without the lines of links that are no more. */
export const unlinkedHosts = (text: string, gone: HostsFacts["links"]): string =>
  gone.reduce(
    (left, { names }) =>
      left
        .split("\n")
        .filter((one) => !one.endsWith(`\t${names.join(" ")}`))
        .join("\n"),
    text,
  );

const line = (address: string, names: readonly string[]): string => `${address}\t${names.join(" ")}\n`;

/** The whole name, and what is before its first dot: a domain may be part of either. */
function ownLine({ hostname, domainname }: HostsFacts, address: string): string {
  const whole = domainname ? `${hostname}.${domainname}` : hostname;
  const dot = whole.indexOf(".");
  return line(address, dot < 0 ? [whole] : [whole, whole.slice(0, dot)]);
}
