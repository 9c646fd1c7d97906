import { batch, type Request } from "../../kernel/netlink/message.ts";
import { deleteLink, type LinkRef, setLink } from "../../kernel/netlink/route/link.ts";
import { close, struct } from "../../plan/build.ts";
import type { Program } from "../../plan/compile.ts";
import { sendDescriptor } from "../../plan/descriptor.ts";
import { type Call, type Data, type Netlink, type Slot, type Step, SYNC } from "../../plan/step.ts";
import { awaitWord, tellChild } from "../../plan/sync.ts";
import type { Endpoint } from "../endpoint.ts";
import {
  because,
  configureMessages,
  firstPacket,
  linkMessage,
  portMessages,
  reasonFor,
  sysctlsOf,
} from "./links.ts";
import { namesBatch, namesSteps } from "./names.ts";
import { findLink, openNetlink, requestName, sendBatch, sendUnheard, settleLink } from "./socket.ts";
import { writeSysctl } from "./sysctl.ts";

/**
 * Wiring within a launch. Before the clone the keeper opens a socket, whose undo removes the host's ends when the
 * keeper goes, for good or for a failure. After the clone it makes all links in one batch, born in the child's network
 * namespace, and tells the child, which configures them in one batch.
 */

/** The socket in the host's network: the keeper's, and the child's until its interfaces are up. */
export const WIRES: Slot = "wires";
/** The one in the container's: the child's, and the keeper's where it removes what is in there. */
const INSIDE: Slot = "wires-inside";
/** Names in a program's `fill`. */
const LAY = "wires.lay";
const PORT = "wires.port";
const UNDO = "wires.undo";
const CONFIGURE = "wires.configure";
const NAMES = "wires.names";
const HOST_END = "wires.host-end";
const SETTLE_END = "wires.settle-end";

const upperName = ({ link }: Endpoint): string => (link.driver === "bridge" ? link.bridge : link.parent);
const upperSlot = (name: string): Slot => `link ${name}`;
const upperRef = (endpoint: Endpoint): LinkRef => {
  const name = upperName(endpoint);
  return { name, index: { slot: upperSlot(name) } };
};
const insideSlot = (name: string): Slot => `inside ${name}`;
const insideRef = ({ interface: name }: Endpoint): LinkRef => ({ name, index: { slot: insideSlot(name) } });

/** Only a veth pair has an end on the host. Its index is in this slot, of which there is none before it is made. */
const endSlot = (index: number): Slot => `host-end.${index}`;
const hostEnds = (endpoints: readonly Endpoint[]): readonly string[] =>
  endpoints.flatMap(({ link }) => (link.driver === "bridge" ? [link.host] : []));

/** By index: a name that was taken by somebody else is not ours to remove. Index 0 is refused. */
const removals = (endpoints: readonly Endpoint[]): readonly Request[] =>
  hostEnds(endpoints).map((name, index) => deleteLink(name, { slot: endSlot(index) }));

/** What the keeper does before and after the clone. */
export interface KeeperWires {
  readonly before: readonly Step[];
  readonly after: readonly Step[];
}

/** The keeper's part; nothing without endpoints. */
export function keeperWires(endpoints: readonly Endpoint[]): KeeperWires {
  if (endpoints.length === 0) return { before: [], after: [] };
  const why = "reach the host's networks";
  const ends = hostEnds(endpoints);
  const requests = removals(endpoints);
  const { bytes, holes } = batch("route", requests);
  const undo: Data = struct([bytes], UNDO);
  const undos: readonly Call[] = [
    ...removeInside(endpoints),
    ...(requests.length === 0 ? [] : [sendUnheard(WIRES, requests, "remove the host's ends", undo)]),
  ];
  const uppers = new Map(endpoints.map((endpoint) => [upperName(endpoint), endpoint]));
  return {
    before: [
      openNetlink("route", WIRES, why, undos),
      ...[...uppers].flatMap(
        ([name, endpoint]) =>
          findLink(
            WIRES,
            name,
            upperSlot(name),
            reasonFor(
              endpoint,
              `find ${name}, the host's interface of network ${endpoint.network}`,
              `${name} has been removed: create the network again, or restart the engine, which makes it anew`,
            ),
            `wires.upper ${name}`,
          ).steps,
      ),
    ],
    after: [
      // One by one, so that whatever is there is known before the next one can fail.
      ...endpoints.flatMap((endpoint, place): Step[] => {
        const end = hostEnds(endpoints.slice(0, place)).length;
        const hole = endpoint.link.driver === "bridge" ? holes[end] : undefined;
        const port = portBatch(endpoint, place);
        return [
          layBatch(endpoint, place),
          ...(hole === undefined ? [] : rememberEnd(ends[end] ?? "", end, undo, hole.offset)),
          ...(port === undefined ? [] : [port]),
        ];
      }),
      tellChild("tell the container that its interfaces are there"),
      ...holdInside(endpoints),
    ],
  };
}

/** Interfaces without an end on the host. */
const insideOnly = (endpoints: readonly Endpoint[]): readonly Endpoint[] =>
  endpoints.filter(({ link }) => link.driver !== "bridge");

/**
 * An interface beside another one goes with its namespace, which the kernel takes down some time after the last
 * process: until then nobody else can have its address. So the keeper gets the child's socket, which holds the
 * namespace, and removes the interface itself when the container has ended.
 */
function holdInside(endpoints: readonly Endpoint[]): Step[] {
  if (insideOnly(endpoints).length === 0) return [];
  return [
    { kind: "receive", into: INSIDE, why: "hold the container's network until its interfaces are removed" },
  ];
}

/** Before the child's socket is there, nothing is at its place that could be sent to. */
function removeInside(endpoints: readonly Endpoint[]): Call[] {
  const requests = insideOnly(endpoints).map((endpoint) => deleteLink(endpoint.interface));
  return requests.length === 0 ? [] : [sendUnheard(INSIDE, requests, "remove the container's interfaces")];
}

/** The interface; and on a bridge what its port is to be. */
const layBatch = (endpoint: Endpoint, place: number): Netlink => ({
  ...sendBatch(WIRES, [linkMessage(endpoint, upperRef(endpoint), { slot: "child" })]),
  name: `${LAY}.${place}`,
});

function portBatch(endpoint: Endpoint, place: number): Netlink | undefined {
  const messages = portMessages(endpoint);
  if (messages.length === 0) return undefined;
  return { ...sendBatch(WIRES, messages), name: `${PORT}.${place}` };
}

/** Write the index of a host's end into the message that removes it. */
function rememberEnd(name: string, end: number, undo: Data, offset: number): Step[] {
  const reason = { why: "know the host's end, to remove it when the container has ended" };
  return [
    ...findLink(WIRES, name, endSlot(end), reason, `${HOST_END}.${end}`).steps,
    { kind: "store", slot: endSlot(end), to: undo, offset, size: 4, ...reason },
  ];
}

/** The child's part, where its `/proc` is mounted: the loopback interface and everything of the endpoints. */
export function childWires(endpoints: readonly Endpoint[]): Step[] {
  if (endpoints.length === 0) return [];
  return [
    awaitWord("wait until the interfaces are there"),
    openNetlink("route", INSIDE, "configure the container's interfaces"),
    ...endpoints.flatMap((endpoint) => {
      const name = endpoint.interface;
      const reason = reasonFor(endpoint, `find ${name}`);
      return findLink(INSIDE, name, insideSlot(name), reason, `wires.inside ${name}`).steps;
    }),
    ...endpoints.flatMap((endpoint) =>
      sysctlsOf(endpoint).map(([name, value]) =>
        writeSysctl(name, value, reasonFor(endpoint, `set ${name}`)),
      ),
    ),
    configureBatch(endpoints),
    ...namesBatches(endpoints).flatMap(namesSteps),
    ...settle(endpoints),
    ...(insideOnly(endpoints).length === 0
      ? []
      : sendDescriptor(INSIDE, SYNC, {
          why: "let the keeper remove the interfaces when the container has ended",
        })),
    close(INSIDE, "close it"),
    close(WIRES, "leave it to the keeper"),
  ];
}

/** Both ends of each cable, and then its bridge, which has a carrier when one of its ports has. */
function settle(endpoints: readonly Endpoint[]): Step[] {
  const ends = hostEnds(endpoints);
  const bridges = new Map(
    endpoints.flatMap((each) => (each.link.driver === "bridge" ? [[each.link.bridge, each]] : [])),
  );
  return [
    ...endpoints.map((each) =>
      settleLink(INSIDE, each.interface, firstPacket(each), `wires.settle ${each.interface}`),
    ),
    ...ends.map((name, end) => settleLink(WIRES, name, firstPacket({}), `${SETTLE_END}.${end}`)),
    ...[...bridges].map(([name, each]) => settleLink(WIRES, name, firstPacket(each), `wires.settle ${name}`)),
  ];
}

function configureBatch(endpoints: readonly Endpoint[]): Netlink {
  const loopback = setLink({ name: "lo", index: 1 }, { up: true });
  return {
    ...sendBatch(INSIDE, [
      because({}, loopback, "bring the loopback interface up"),
      ...endpoints.flatMap((endpoint) => configureMessages(endpoint, insideRef(endpoint))),
    ]),
    name: CONFIGURE,
  };
}

const namesBatches = (endpoints: readonly Endpoint[]): readonly Netlink[] =>
  endpoints.flatMap(({ asks, option }) => (asks === undefined ? [] : [namesBatch(asks, option, NAMES)]));

/**
 * Write endpoints into a program that was compiled for others of the same `wiresShape`. The program's bytes must be
 * the caller's own.
 */
export function fillWires(program: Program, endpoints: readonly Endpoint[]): Program {
  for (const [name, bytes] of wiresBytes(endpoints)) {
    const offset = program.fill.get(name);
    if (offset === undefined) throw new Error(`Cannot write ${name} into a launch program that has none`);
    program.elf.set(bytes, offset);
  }
  return program;
}

/** What a launch program holds of endpoints, by names in its `fill`. */
function wiresBytes(endpoints: readonly Endpoint[]): ReadonlyMap<string, Uint8Array> {
  if (endpoints.length === 0) return new Map();
  const bytesOf = ({ messages, protocol }: Netlink) =>
    batch(
      protocol,
      messages.map(({ request }) => request),
    ).bytes;
  const ports = endpoints.flatMap((endpoint, place) => portBatch(endpoint, place) ?? []);
  const batches = [
    ...endpoints.map(layBatch),
    ...ports,
    configureBatch(endpoints),
    ...namesBatches(endpoints),
  ];
  return new Map([
    ...batches.map((each) => [each.name ?? "", bytesOf(each)] as const),
    ...hostEnds(endpoints).flatMap((name, index) => [
      [`${HOST_END}.${index}`, requestName(name)] as const,
      [`${SETTLE_END}.${index}`, requestName(name)] as const,
    ]),
  ]);
}

const ANY_ADDRESS = { 4: "0.0.0.0", 6: "::" } as const;

/** Endpoints with all that two containers of a network differ in replaced by something of the same length. */
export function wiresShape(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  return endpoints.map((endpoint) => ({
    ...endpoint,
    ...(endpoint.mac === undefined ? {} : { mac: "02:00:00:00:00:00" }),
    addresses: endpoint.addresses.map(({ address, bits }) => ({
      address: ANY_ADDRESS[address.includes(":") ? 6 : 4],
      bits,
    })),
    ...(endpoint.asks === undefined ? {} : { asks: { ...endpoint.asks, from: ANY_ADDRESS[4] } }),
    ...(endpoint.link.driver === "bridge"
      ? { link: { ...endpoint.link, host: "0".repeat(endpoint.link.host.length) } }
      : {}),
  }));
}
