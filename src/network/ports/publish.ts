import { existsSync } from "node:fs";
import { codeOf, Refusal, reasonOf } from "../../oci/error.ts";
import type { Allocator } from "./allocator.ts";
import type { Listener } from "./bind.ts";
import { isRouted, isTranslated, isV6, type PublishedPort } from "./published.ts";
import { nameOf, type PortRequest } from "./request.ts";
import { listenTcp } from "./tcp.ts";
import { listenUdp } from "./udp.ts";

/** The container's end of what is published, in each family: on the network that its way out goes through. */
export interface Target {
  /** Name of the container. */
  readonly container: string;
  readonly ipv4?: Inside | undefined;
  readonly ipv6?: Inside | undefined;
}

/** An address of a container, and the id of the network that it is on. */
export interface Inside {
  readonly network: string;
  readonly address: string;
  /** In its own family it is reached at this address only, and no port of the host leads to it. */
  readonly routed?: boolean;
}

/** Ports that are held on the host for one container. */
export interface Publication {
  readonly ports: readonly PublishedPort[];
  /** Gives all of them back. Idempotent. */
  release(): void;
}

/** Ephemeral ports that others hold are skipped, but not without end. */
const MAX_TRIES = 100;

/**
 * Binds the host's ports for a container, all of them or none, before anything of it starts. The sockets refuse
 * the port to everyone else, and carry what the kernel cannot translate.
 * @throws Refusal with Docker's sentence: taken by another container, by another program, not this host's address
 */
export async function publish(
  allocator: Allocator,
  requests: readonly PortRequest[],
  target: Target,
): Promise<Publication> {
  const held: Held[] = [];
  const release = (): void => {
    for (const one of held.splice(0)) one.release();
  };
  try {
    // Those that must have one certain port first, so that no other takes it.
    const order = [...requests.keys()].sort((a, b) => width(requests[a]) - width(requests[b]));
    const found: Held[][] = [];
    for (const index of order) {
      found[index] = await hold(allocator, requests[index]!, target);
      held.push(...found[index]);
    }
    return { ports: found.flat().map(({ port }) => port), release };
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * Binds again what a container that runs had: its engine was restarted. What cannot be bound is reported; the
 * kernel goes on translating it.
 */
export async function republish(
  allocator: Allocator,
  ports: readonly PublishedPort[],
  report: (message: string) => void,
): Promise<Publication> {
  const held: Held[] = [];
  for (const port of ports) {
    if (isRouted(port)) continue;
    allocator.take(port.protocol, port.hostIp, port.hostPort);
    try {
      held.push(withSocket(allocator, port, await bind(port)));
    } catch (error) {
      report(`Cannot hold ${where(port)} again: ${words(error)}`);
      held.push(withSocket(allocator, port, undefined));
    }
  }
  return {
    ports,
    release() {
      for (const one of held.splice(0)) one.release();
    },
  };
}

interface Held {
  readonly port: PublishedPort;
  release(): void;
}

const width = (request: PortRequest | undefined): number =>
  request?.hostPorts ? request.hostPorts.last - request.hostPorts.first : 65536;

/** One request: the same port on every address that it means. */
async function hold(allocator: Allocator, request: PortRequest, target: Target): Promise<Held[]> {
  const { protocol, containerPort, hostPorts } = request;
  const portOf = (
    [hostIp, inside]: readonly [hostIp: string, inside: Inside],
    hostPort: number,
  ): PublishedPort => ({
    network: inside.network,
    container: target.container,
    protocol,
    hostIp,
    hostPort,
    containerIp: inside.address,
    containerPort,
  });
  const meant = addresses(request.hostIp, target);
  // The kernel translates SCTP; nobody else can carry it, as the runtime has no such sockets.
  const all = protocol === "sctp" ? meant.filter((pair) => isTranslated(portOf(pair, 1))) : meant;
  if (all.length === 0 && meant.length > 0) {
    throw new Refusal(
      "invalid",
      `cannot publish ${nameOf(request)} on ${request.hostIp}: SCTP is led to the container in its own family only`,
    );
  }
  const isOwn = ([hostIp, inside]: (typeof all)[number]): boolean =>
    inside.routed === true && isV6(hostIp) === isV6(inside.address);
  const pairs = all.filter((pair) => !isOwn(pair));
  const routed = all.filter(isOwn).map((pair): Held => ({ port: portOf(pair, 0), release: () => undefined }));
  if (pairs.length === 0) return routed;
  const single = hostPorts !== null && hostPorts.first === hostPorts.last;
  let busy = 0;
  for (const hostPort of hostPorts ? span(hostPorts) : allocator.ephemeral(protocol)) {
    const ports = pairs.map((pair) => portOf(pair, hostPort));
    const holders = ports.map((port) => allocator.holder(protocol, port.hostIp, hostPort));
    const holder = holders.find((one) => one !== undefined);
    if (holder !== undefined) {
      if (!single) continue;
      throw new Refusal("failed", `Bind for ${holder}:${hostPort} failed: port is already allocated`);
    }
    const held: Held[] = [];
    try {
      for (const port of ports) {
        allocator.take(protocol, port.hostIp, hostPort);
        held.push(withSocket(allocator, port, await bindOrGive(allocator, port)));
      }
      return routed.length === 0 ? held : inOrder(all, [...routed, ...held]);
    } catch (error) {
      for (const one of held) one.release();
      const taken = codeOf(error) === "EADDRINUSE";
      if (taken && !single && ++busy < MAX_TRIES) continue;
      const port = ports[held.length] ?? ports[0];
      throw new Refusal("failed", `failed to bind host port for ${port ? where(port) : ""}: ${words(error)}`);
    }
  }
  throw new Refusal("failed", "all ports are allocated");
}

/** As their addresses were asked for. */
function inOrder(all: readonly (readonly [hostIp: string, ...unknown[]])[], held: readonly Held[]): Held[] {
  return all.flatMap(([hostIp]) => held.filter(({ port }) => port.hostIp === hostIp));
}

async function bindOrGive(allocator: Allocator, port: PublishedPort): Promise<Listener | undefined> {
  try {
    return await bind(port);
  } catch (error) {
    allocator.release(port.protocol, port.hostIp, port.hostPort);
    throw error;
  }
}

function withSocket(allocator: Allocator, port: PublishedPort, listener: Listener | undefined): Held {
  return {
    port,
    release() {
      listener?.close();
      allocator.release(port.protocol, port.hostIp, port.hostPort);
    },
  };
}

function bind({ protocol, hostIp, hostPort, containerIp, containerPort }: PublishedPort) {
  const at = { address: hostIp, port: hostPort };
  const to = { address: containerIp, port: containerPort };
  if (protocol === "tcp") return listenTcp(at, to);
  if (protocol === "udp") return listenUdp(at, to);
  // The runtime has no SCTP sockets: the port is the kernel's to translate, and ours only in our own books.
  return Promise.resolve(undefined);
}

/** Host address and container address for each address that a request means; IPv6 only where the host has it. */
function addresses(hostIp: string, { ipv4, ipv6 }: Target): [string, Inside][] {
  const wanted = hostIp !== "" ? [hostIp] : hostHasV6() ? ["0.0.0.0", "::"] : ["0.0.0.0"];
  return wanted.flatMap((address): [string, Inside][] => {
    // As in Docker, IPv4 is not led to a container that has only IPv6, unless an address of IPv4 was asked for.
    const inside = isV6(address) ? (ipv6 ?? ipv4) : (ipv4 ?? (hostIp === "" ? undefined : ipv6));
    return inside === undefined ? [] : [[address, inside]];
  });
}

const hostHasV6 = (): boolean => existsSync("/proc/net/if_inet6");

function* span({ first, last }: { readonly first: number; readonly last: number }): Generator<number> {
  for (let port = first; port <= last; port++) yield port;
}

/** `0.0.0.0:8080:172.17.0.2:80/tcp`, as Docker writes it. */
function where(port: PublishedPort): string {
  const bracketed = (address: string): string => (isV6(address) ? `[${address}]` : address);
  return `${bracketed(port.hostIp)}:${port.hostPort}:${bracketed(port.containerIp)}:${nameOf(port)}`;
}

/** The kernel's words: strerror(3), in lower case as Go has them. */
function words(error: unknown): string {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return "address already in use";
    case "EADDRNOTAVAIL":
      return "cannot assign requested address";
    case "EACCES":
      return "permission denied";
    default:
      return reasonOf(error);
  }
}
