import { addAddress } from "../../kernel/netlink/route/address.ts";
import { addLink, deleteLink, isolatePort, type LinkRef, setLink } from "../../kernel/netlink/route/link.ts";
import type { Call, Plan, Step } from "../../plan/step.ts";
import type { Bridge } from "../endpoint.ts";
import { because, reasonFor } from "./links.ts";
import { findLink, openNetlink, sendBatch, sendUnheard } from "./socket.ts";
import { linkSetting, writeSysctl } from "./sysctl.ts";

const SOCKET = "bridges";
const INDEX = "bridge";

/** Makes a bridge with its addresses, settings and MTU, and brings it up; a failure leaves no bridge. */
export function bridgePlan(bridge: Bridge): Plan {
  const { mtu, name, network } = bridge;
  const link = { name, index: { slot: INDEX } };
  const why = `make the bridge of network ${network}`;
  const hint = "the name is taken, or this kernel has no bridges (CONFIG_BRIDGE, modprobe bridge)";
  const found = findLink(SOCKET, name, INDEX, reasonFor(bridge, why), "bridge.request");
  const [find, ...rest] = found.steps;
  const steps: Step[] = [
    openNetlink("route", SOCKET, reasonFor(bridge, why)),
    {
      kind: "netlink",
      socket: SOCKET,
      protocol: "route",
      messages: [
        because(
          bridge,
          addLink({
            kind: "bridge",
            name,
            txqueuelen: 0,
            mac: bridge.mac ?? macOf(name),
            ...(mtu === undefined ? {} : { mtu }),
          }),
          why,
          hint,
        ),
      ],
    },
    // It is there now: whatever fails from here on removes it.
    ...(find?.kind === "call" ? [{ ...find, undo: [removal(name)] }] : []),
    ...rest,
    ...settings(bridge).map(([setting, value]) =>
      writeSysctl(setting, value, reasonFor(bridge, `set ${setting}`)),
    ),
    {
      kind: "netlink",
      socket: SOCKET,
      protocol: "route",
      messages: [
        ...bridge.addresses.map(({ address, bits }) =>
          because(
            bridge,
            addAddress(link, address, bits),
            `give ${name} the address ${address}`,
            "another interface of the host may have it",
          ),
        ),
        because(bridge, setLink(link, { up: true }), `bring ${name} up`),
      ],
    },
  ];
  return Object.freeze({ steps });
}

/** A bridge that was made again gets back the ports that it had: ends of cables that are there, by name and index. */
export function attachPlan(
  bridge: LinkRef,
  ends: readonly (LinkRef & { readonly isolated: boolean })[],
): Plan {
  const why = `connect containers to ${bridge.name} again`;
  return Object.freeze({
    steps: [
      openNetlink("route", SOCKET, why),
      sendBatch(
        SOCKET,
        ends.flatMap((end) => [
          because({}, setLink(end, { master: bridge }), why),
          ...(end.isolated ? [because({}, isolatePort(end.name), why)] : []),
        ]),
      ),
    ],
  } satisfies Plan);
}

const removal = (name: string): Call => sendUnheard(SOCKET, [deleteLink(name)], `remove ${name}`);

/**
 * Forwarding is the whole host's and stays on, as with Docker. Everything else is of this bridge only: it takes no
 * routes from its containers, and 127.0.0.1 may be translated to them.
 */
function settings({
  forward4,
  forward6,
  name,
  routeLocalnet,
  without6,
}: Bridge): (readonly [string, string])[] {
  return [
    ...(forward4 ? [["net.ipv4.ip_forward", "1"] as const] : []),
    ...(routeLocalnet ? [[linkSetting("ipv4", name, "route_localnet"), "1"] as const] : []),
    ...(without6 ? [[linkSetting("ipv6", name, "disable_ipv6"), "1"] as const] : []),
    [linkSetting("ipv6", name, "accept_ra"), "0"],
    // For what is forwarded, neighbours are asked from the link-local address, which would have to wait for it.
    [linkSetting("ipv6", name, "accept_dad"), "0"],
    ...(forward6 ? [["net.ipv6.conf.all.forwarding", "1"] as const] : []),
  ];
}

/** A locally administered address (IEEE 802) from the name: FNV-1a. */
function macOf(name: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  const bytes = [24, 16, 8, 0].map((shift) => ((hash >>> shift) & 0xff).toString(16).padStart(2, "0"));
  return ["02", "42", ...bytes].join(":");
}
