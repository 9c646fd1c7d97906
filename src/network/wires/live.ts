import { batch } from "../../kernel/netlink/message.ts";
import { deleteLink, type LinkRef, setLink } from "../../kernel/netlink/route/link.ts";
import { struct } from "../../plan/build.ts";
import type { Data, Plan, Slot, Step } from "../../plan/step.ts";
import type { Endpoint } from "../endpoint.ts";
import { enterNetwork, findContainer } from "./enter.ts";
import {
  because,
  configureMessages,
  defaultRouteMessages,
  firstPacket,
  linkMessage,
  portMessages,
  reasonFor,
  sysctlsOf,
} from "./links.ts";
import { findLink, openNetlink, sendBatch, sendUnheard, settleLink } from "./socket.ts";
import { linkSetting, writeSysctl } from "./sysctl.ts";

/** Wires of a container that runs: a small program that goes into its network namespace. */

const OUTSIDE: Slot = "outside";
const INSIDE: Slot = "inside";

/** Gives the container a further interface. `pid` is its first process, on the host. */
export function connectPlan(pid: number, endpoint: Endpoint): Plan {
  const { link, network } = endpoint;
  const upper = link.driver === "bridge" ? link.bridge : link.parent;
  const reason = reasonFor(endpoint, `find ${upper}, the host's interface of network ${network}`);
  const found = findLink(OUTSIDE, upper, "upper", reason, "upper");
  const inside = insideLink(endpoint);
  const port = portMessages(endpoint);
  return Object.freeze({
    steps: [
      findContainer(pid),
      openNetlink("route", OUTSIDE, "reach the host's networks"),
      ...found.steps,
      sendBatch(OUTSIDE, [linkMessage(endpoint, found.link, pid)]),
      ...(link.driver === "bridge" ? rememberEnd(link.host) : []),
      ...(port.length === 0 ? [] : [sendBatch(OUTSIDE, port)]),
      ...enter(),
      ...inside.steps,
      ...sysctlsOf(endpoint).map(([name, value]) =>
        writeSysctl(name, value, reasonFor(endpoint, `set ${name}`)),
      ),
      sendBatch(INSIDE, configureMessages(endpoint, inside.link, "replace")),
      ...settle(endpoint),
    ],
  });
}

function settle(endpoint: Endpoint): Step[] {
  const { link } = endpoint;
  const outside = link.driver === "bridge" ? [link.host, link.bridge] : [];
  const reason = firstPacket(endpoint);
  return [
    settleLink(INSIDE, endpoint.interface, reason, "settle"),
    ...outside.map((name) => settleLink(OUTSIDE, name, reason, `settle ${name}`)),
  ];
}

/** Takes an interface away, and with it its end on the host; one that is not there is fine. */
export function disconnectPlan(pid: number, endpoint: Endpoint): Plan {
  const why = `disconnect the container from network ${endpoint.network}`;
  const remove = { ...because(endpoint, deleteLink(endpoint.interface), why), tolerate: ["ENODEV"] as const };
  return Object.freeze({ steps: [findContainer(pid), ...enter(), sendBatch(INSIDE, [remove])] });
}

/** Makes an interface that is there the way to everywhere else: the gateway's network has gone, or another has come. */
export function reroutePlan(pid: number, endpoint: Endpoint): Plan {
  const inside = insideLink(endpoint);
  const routes = defaultRouteMessages(endpoint, inside.link, "replace");
  return Object.freeze({
    steps: [
      findContainer(pid),
      ...enter(),
      ...inside.steps,
      ...(routes.length === 0 ? [] : [sendBatch(INSIDE, routes)]),
    ],
  });
}

/**
 * Tells the network at which Ethernet address the container's addresses are. The kernel does, where it is asked to,
 * when an interface is given one, though it be the same (Documentation/networking/ip-sysctl.rst, `arp_notify`).
 */
export function announcePlan(pid: number, endpoint: Endpoint): Plan {
  const inside = insideLink(endpoint);
  const { interface: name, mac } = endpoint;
  const why = "tell neighbours where its addresses are now";
  const settings = [linkSetting("ipv4", name, "arp_notify"), linkSetting("ipv6", name, "ndisc_notify")];
  return Object.freeze({
    steps: [
      findContainer(pid),
      ...enter(),
      ...inside.steps,
      ...settings.map((setting) => writeSysctl(setting, "1", reasonFor(endpoint, why))),
      sendBatch(INSIDE, [because(endpoint, setLink(inside.link, mac === undefined ? {} : { mac }), why)]),
    ],
  });
}

/** `OUTSIDE` can still remove the host's end from in there. */
function enter(): Step[] {
  return [...enterNetwork(), openNetlink("route", INSIDE, "configure the container's interfaces")];
}

function insideLink(endpoint: Endpoint): { readonly link: LinkRef; readonly steps: readonly Step[] } {
  const reason = reasonFor(endpoint, `find ${endpoint.interface}`);
  return findLink(INSIDE, endpoint.interface, "interface", reason, "interface");
}

/** Both ends go when a later step fails. */
function rememberEnd(name: string): Step[] {
  const reason = { why: "know the host's end" };
  const request = deleteLink(name, { slot: "end" });
  const { bytes, holes } = batch("route", [request]);
  const data: Data = struct([bytes], "remove-end");
  const undo = sendUnheard(OUTSIDE, [request], "remove the interface", data);
  const [find, ...rest] = findLink(OUTSIDE, name, "end", reason, "end").steps;
  return [
    ...(find?.kind === "call" ? [{ ...find, undo: [undo] }] : []),
    ...rest,
    ...holes.map(
      ({ offset }): Step => ({ kind: "store", slot: "end", to: data, offset, size: 4, ...reason }),
    ),
  ];
}
