import type { ContainerRecord } from "../../container/record.ts";
import { bridgeOptionsOf } from "../../network/options.ts";
import { type Allocator, createAllocator } from "../../network/ports/allocator.ts";
import type { Inside, Publication, Target } from "../../network/ports/publish.ts";
import { isRouted as hasNoPort, isTranslated, type PublishedPort } from "../../network/ports/published.ts";
import { type PortRequest, portRequests } from "../../network/ports/request.ts";
import { Refusal } from "../../oci/error.ts";
import { gatewayPlace, type Place } from "./wires.ts";

/** Ports of this host that lead to containers which run, or are about to. */
export interface HostPorts {
  /**
   * Binds what a container publishes, before it starts; `record.published` says what it got.
   * @param places where the container is; without a way out nothing is published
   * @throws Refusal in Docker's words; nothing is bound then
   */
  hold(record: ContainerRecord, places: readonly Place[]): Promise<void>;
  /** Binds again what a container has that runs already. What cannot be bound is reported. */
  restore(record: ContainerRecord): Promise<void>;
  /** After its networks changed: the same ports of the host, to where the container is now. */
  move(record: ContainerRecord, places: readonly Place[]): Promise<void>;
  /** Gives them back. @returns whether there were any */
  release(record: ContainerRecord): boolean;
  /** What the kernel's rules are to lead on. */
  translated(): readonly PublishedPort[];
}

/** None so far. The sockets' code is loaded with the first port. */
export function createHostPorts(report: (message: string) => void): HostPorts {
  const allocator: Allocator = createAllocator();
  const held = new Map<string, Publication>();
  const sockets = () => import("../../network/ports/publish.ts");

  const release = (record: ContainerRecord): boolean => {
    const publication = held.get(record.id);
    held.delete(record.id);
    delete record.published;
    publication?.release();
    return publication !== undefined && publication.ports.length > 0;
  };
  const take = async (
    record: ContainerRecord,
    places: readonly Place[],
    requests: readonly PortRequest[],
  ): Promise<void> => {
    const target = targetOf(record, places);
    if (requests.length === 0 || !target) return;
    try {
      const publication = await (await sockets()).publish(allocator, requests, target);
      held.set(record.id, publication);
      record.published = publication.ports;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const endpoint = (gatewayPlace(places, 4) ?? gatewayPlace(places, 6))?.live.id ?? "";
      const message = `driver failed programming external connectivity on endpoint ${record.name} (${endpoint}): ${error.message}`;
      throw new Refusal(error.kind, message, { cause: error });
    }
  };

  return {
    hold: (record, places) => take(record, places, bound(portRequests(record.config, record.host), places)),
    async restore(record) {
      const { published = [] } = record;
      if (published.length === 0) return;
      held.set(record.id, await (await sockets()).republish(allocator, published, report));
    },
    async move(record, places) {
      const before = record.published ?? [];
      const target = targetOf(record, places);
      if (before.every((port) => leadsTo(port, target))) {
        // It had no way out when it started: what it asked for can be had now.
        if (before.length === 0) await this.hold(record, places);
        return;
      }
      const asked = bound(portRequests(record.config, record.host), places);
      // What was on no port of the host may be now, or the other way round: it is asked for anew.
      const routed = before.some(hasNoPort) || [target?.ipv4, target?.ipv6].some((one) => one?.routed);
      release(record);
      await take(record, places, routed ? asked : before.map(again));
    },
    release,
    translated: () => [...held.values()].flatMap(({ ports }) => ports.filter(isTranslated)),
  };
}

/** Where the container's way out is, in each family: ports of the host lead in there. */
function targetOf({ name }: ContainerRecord, places: readonly Place[]): Target | undefined {
  const inside = (family: 4 | 6): Inside | undefined => {
    const place = gatewayPlace(places, family);
    const address = family === 4 ? place?.live.ipv4 : place?.live.ipv6;
    if (place?.network.driver !== "bridge" || !address) return undefined;
    return { network: place.network.id, address: address.address, routed: isRouted(place, family) };
  };
  const [ipv4, ipv6] = [inside(4), inside(6)];
  return ipv4 || ipv6 ? { container: name, ipv4, ipv6 } : undefined;
}

/** In this mode containers are reached by their own addresses. */
function isRouted({ network }: Place, family: 4 | 6): boolean {
  const { gatewayMode4, gatewayMode6 } = bridgeOptionsOf(network);
  return (family === 4 ? gatewayMode4 : gatewayMode6) === "routed";
}

function leadsTo(port: PublishedPort, target: Target | undefined): boolean {
  const inside = [target?.ipv4, target?.ipv6];
  return inside.some((one) => one?.address === port.containerIp && one.network === port.network);
}

/** `host_binding_ipv4` of the network: where ports are published that name no address. */
function bound(requests: readonly PortRequest[], places: readonly Place[]): readonly PortRequest[] {
  const place = gatewayPlace(places, 4);
  const binding = place?.network.driver === "bridge" ? bridgeOptionsOf(place.network).hostBinding : undefined;
  if (binding === undefined || binding === "0.0.0.0") return requests;
  return requests.map((request) => (request.hostIp === "" ? { ...request, hostIp: binding } : request));
}

const again = ({ protocol, containerPort, hostIp, hostPort }: PublishedPort): PortRequest => ({
  protocol,
  containerPort,
  hostIp,
  hostPorts: { first: hostPort, last: hostPort },
});
