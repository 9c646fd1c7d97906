import { SOCKET } from "../../kernel/flags.ts";
import { batch, NETLINK, type Protocol, type Request } from "../../kernel/netlink/message.ts";
import type { LinkRef } from "../../kernel/netlink/route/link.ts";
import { call, from, mem, num, struct, u32, u64 } from "../../plan/build.ts";
import { commandText } from "../../plan/describe.ts";
import type { Call, Data, Netlink, NetlinkMessage, Reason, Slot, Step } from "../../plan/step.ts";

/** A netlink socket: what it is asked for happens in the network namespace that it was opened in. */
export function openNetlink(
  protocol: Protocol,
  slot: Slot,
  reason: Reason | string,
  undo?: readonly Call[],
): Call {
  const [number, name] =
    protocol === "route" ? [NETLINK.ROUTE, "NETLINK_ROUTE"] : [NETLINK.NETFILTER, "NETLINK_NETFILTER"];
  return call(
    "socket",
    [
      num(NETLINK.AF, "AF_NETLINK"),
      num(NETLINK.SOCK_RAW | SOCKET.CLOEXEC, "SOCK_RAW|SOCK_CLOEXEC"),
      num(number, name),
    ],
    reason,
    { result: slot, ...(undo === undefined ? {} : { undo }) },
  );
}

/** The name that `struct ifreq` (netdevice(7)) begins with. */
export function requestName(name: string): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(new TextEncoder().encode(name).subarray(0, 15));
  return bytes;
}
const INDEX_OFFSET = 16;

/** Bytes of `struct ifreq` with only the name set; the index comes behind it. */
export const namedRequest = (name: string): Uint8Array =>
  new Uint8Array([...requestName(name), ...u64(0, 0, 0)]);

/** Look up an interface's index by its name; `memory` names the request in a program's `fill`. */
export function findLink(
  socket: Slot,
  name: string,
  into: Slot,
  reason: Reason,
  memory: string,
): { readonly link: LinkRef; readonly steps: readonly Step[] } {
  const request: Data = struct([namedRequest(name)], memory);
  return {
    link: { name, index: { slot: into } },
    steps: [
      call("ioctl", [from(socket), num(SOCKET.SIOCGIFINDEX, "SIOCGIFINDEX"), mem(request, name)], reason),
      { kind: "load", from: request, offset: INDEX_OFFSET, size: 4, into, ...reason },
    ],
  };
}

/** Requests of rtnetlink, whose answers are read. */
export const sendBatch = (socket: Slot, messages: readonly NetlinkMessage[]): Netlink => ({
  kind: "netlink",
  socket,
  protocol: "route",
  messages,
});

/**
 * The same for undos: nobody reads the answers, and a request that is refused does not hinder the others.
 * @param data the batch's bytes, where the program writes to them
 */
export function sendUnheard(socket: Slot, requests: readonly Request[], why: string, data?: Data): Call {
  const { bytes } = batch("route", requests);
  const words = requests.map((request) => commandText(request.words)).join("; ");
  const sent = mem(data ?? struct([bytes]), words);
  return call("sendto", [from(socket), sent, num(bytes.length), num(0), num(0), num(0)], why);
}

/**
 * Ask for an interface's carrier. One that has just got it drops what it should send, and a bridge what comes from it,
 * until a worker of the kernel's (net/core/link_watch.c) has heard of it; since Linux 6.8 the question is answered only
 * after that work is done. `memory` names the request in a program's `fill`.
 */
export function settleLink(socket: Slot, name: string, reason: Reason, memory: string): Call {
  const value: Data = struct([u32(SOCKET.ETHTOOL_GLINK, 0)]);
  const request: Data = struct([requestName(name), { pointer: value }, u64(0, 0)], memory);
  return call("ioctl", [from(socket), num(SOCKET.SIOCETHTOOL, "SIOCETHTOOL"), mem(request, name)], reason, {
    tolerate: ["EOPNOTSUPP"],
  });
}
