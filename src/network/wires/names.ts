import type { Request } from "../../kernel/netlink/message.ts";
import {
  addChain,
  addRule,
  addTable,
  deleteTable,
  type TableName,
} from "../../kernel/netlink/nft/requests.ts";
import type { Condition, Rewrite } from "../../kernel/netlink/nft/rule.ts";
import { close } from "../../plan/build.ts";
import type { Netlink, NetlinkMessage, Plan, Slot, Step } from "../../plan/step.ts";
import { ASKED, HEARD_PORT } from "../dns/place.ts";
import type { Asks } from "../endpoint.ts";
import { enterNetwork, findContainer } from "./enter.ts";
import { openNetlink } from "./socket.ts";

/**
 * Questions for names, from 127.0.0.11 in a container to the resolver on the host and back. Each packet is rewritten by
 * itself, in both directions one to one, so that nothing is tracked: connection tracking would cost every packet of
 * the container something, and its start more.
 */

const SOCKET: Slot = "names";
const TABLE: TableName = { family: "ip", name: "cais" };
/** Before whatever the container does with its packets (nft(8) calls it raw). */
const FIRST = -300;
/** What a packet from a container to its own loopback comes from. */
const LOOPBACK = "127.0.0.1";
const WHY = `answer questions for names at ${ASKED.address}`;
const HINT = "this kernel lacks a part of nf_tables (CONFIG_NF_TABLES_IPV4), or its modules cannot be loaded";

/** In an empty network namespace. */
function requests({ from: own, server }: Asks): Request[] {
  const rewrites = (["udp", "tcp"] as const).map((protocol) => ({
    ask: rewriting(
      { match: "daddr", is: "==", network: ASKED.address },
      { match: "dport", protocol, port: ASKED.port },
      { kind: "rewrite", saddr: own, daddr: server, protocol, which: "dport", port: HEARD_PORT },
    ),
    hear: rewriting(
      { match: "saddr", is: "==", network: server },
      { match: "sport", protocol, port: HEARD_PORT },
      { kind: "rewrite", saddr: ASKED.address, daddr: LOOPBACK, protocol, which: "sport", port: ASKED.port },
    ),
  }));
  return [
    addTable(TABLE),
    // On its way out it has a route by the loopback interface: it gets the one to the host.
    addChain(TABLE, "ask", { type: "route", hook: "output", priority: FIRST, policy: "accept" }),
    // On its way in it has been accepted as the host's: from 127.0.0.11 nothing would be.
    addChain(TABLE, "hear", { type: "filter", hook: "input", priority: FIRST, policy: "accept" }),
    ...rewrites.map(({ ask }) => addRule(TABLE, "ask", ask)),
    ...rewrites.map(({ hear }) => addRule(TABLE, "hear", hear)),
  ];
}

const rewriting = (where: Condition, what: Condition, then: Rewrite) => ({
  when: [where, what],
  then,
  counter: false,
  comment: "",
});

/** What a container sends in its own network namespace; an option is behind it. */
export const namesBatch = (asks: Asks, option: string | undefined, name: string): Netlink => ({
  kind: "netlink",
  socket: SOCKET,
  protocol: "netfilter",
  messages: requests(asks).map((request) => because(request, option)),
  name,
});

const because = (request: Request, option?: string): NetlinkMessage => ({
  kind: "message",
  request,
  why: WHY,
  hint: HINT,
  ...(option === undefined ? {} : { option }),
});

/** The batch with its socket. */
export const namesSteps = (batch: Netlink): Step[] => [
  openNetlink("netfilter", SOCKET, { why: WHY, hint: HINT }),
  batch,
  close(SOCKET, "close it"),
];

/** The same in a container that runs: asked by another way than before, or by none any more. */
export function namesPlan(pid: number, asks: Asks | undefined): Plan {
  const anew = [addTable(TABLE), deleteTable(TABLE), ...(asks === undefined ? [] : requests(asks))];
  return Object.freeze({
    steps: [
      findContainer(pid),
      ...enterNetwork(),
      ...namesSteps({
        kind: "netlink",
        socket: SOCKET,
        protocol: "netfilter",
        messages: anew.map((request) => because(request)),
      }),
    ],
  });
}
