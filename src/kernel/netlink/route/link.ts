import { macBytes } from "../address.ts";
import { attribute, type Chunk, join, raw, text, u8, u16, u32, type Value } from "../chunk.ts";
import { NLM_F, type Request, type Word } from "../message.ts";
import {
  AF,
  IFF_UP,
  IFLA,
  IFLA_BRPORT_ISOLATED,
  IFLA_INFO,
  IFLA_INFO_SLAVE,
  IFLA_IPVLAN,
  IFLA_MACVLAN_MODE,
  IFLA_VLAN_ID,
  IPVLAN_F,
  IPVLAN_MODE,
  MACVLAN_MODE,
  RTM,
  VETH_INFO_PEER,
} from "./numbers.ts";

/** An interface of the namespace that a message is sent in: its name for people, its index for the kernel. */
export interface LinkRef {
  readonly name: string;
  readonly index: Value;
}

/** What an interface is given when it is made, and can be given later. */
export interface LinkProperties {
  readonly mtu?: number;
  /** Packets that may wait to be sent. */
  readonly txqueuelen?: number;
  readonly mac?: string;
  /** The bridge that it is a port of. */
  readonly master?: LinkRef;
  /** Pid of a process: the interface goes to that one's network namespace. */
  readonly netns?: Value;
  readonly up?: boolean;
}

export type NewLink = LinkProperties & { readonly name: string } & LinkKind;

export type LinkKind =
  | { readonly kind: "bridge" | "dummy" }
  | { readonly kind: "veth"; readonly peer: LinkProperties & { readonly name: string } }
  | { readonly kind: "vlan"; readonly parent: LinkRef; readonly id: number }
  | { readonly kind: "macvlan"; readonly parent: LinkRef; readonly mode: keyof typeof MACVLAN_MODE }
  | {
      readonly kind: "ipvlan";
      readonly parent: LinkRef;
      readonly mode: keyof typeof IPVLAN_MODE;
      readonly flag: keyof typeof IPVLAN_F;
    };

/** Make an interface (rtnetlink(7), `RTM_NEWLINK`); EEXIST where there is one of that name. */
export function addLink(link: NewLink): Request {
  const parent = "parent" in link ? link.parent : undefined;
  return {
    type: RTM.NEWLINK,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    content: join(
      header(0, link),
      attribute(IFLA.IFNAME, text(link.name)),
      ...properties(link),
      ...(parent === undefined ? [] : [attribute(IFLA.LINK, u32(parent.index))]),
      attribute(
        IFLA.LINKINFO,
        attribute(IFLA_INFO.KIND, text(link.kind)),
        ...kindData(link).map((data) => attribute(IFLA_INFO.DATA, data)),
      ),
    ),
    words: [
      ...["ip", "link", "add", ...(parent === undefined ? [] : ["link", parent.name]), "name", link.name],
      ...propertyWords(link),
      ...["type", link.kind],
      ...kindWords(link),
    ],
  };
}

/** Change an interface: an absent property stays as it is. */
export function setLink(link: LinkRef, change: LinkProperties): Request {
  return {
    type: RTM.NEWLINK,
    flags: 0,
    content: join(header(link.index, change), ...properties(change)),
    words: ["ip", "link", "set", link.name, ...propertyWords(change)],
  };
}

/**
 * Let a port of a bridge reach the bridge's other isolated ports no more, only the bridge itself; the port is found by
 * its name.
 */
export function isolatePort(name: string): Request {
  return {
    type: RTM.NEWLINK,
    flags: 0,
    content: join(
      header(0, {}),
      attribute(IFLA.IFNAME, text(name)),
      attribute(
        IFLA.LINKINFO,
        attribute(IFLA_INFO_SLAVE.KIND, text("bridge")),
        attribute(IFLA_INFO_SLAVE.DATA, attribute(IFLA_BRPORT_ISOLATED, u8(1))),
      ),
    ),
    words: ["ip", "link", "set", "dev", name, "type", "bridge_slave", "isolated", "on"],
  };
}

/** Remove an interface, and with it its peer; ENODEV where there is none. Without `index` it is found by its name. */
export function deleteLink(name: string, index?: Value): Request {
  return {
    type: RTM.DELLINK,
    flags: 0,
    content:
      index === undefined ? join(header(0, {}), attribute(IFLA.IFNAME, text(name))) : header(index, {}),
    words: ["ip", "link", "delete", name],
  };
}

/** All interfaces of the namespace with their statistics; see `decodeLinks`. */
export function listLinks(): Request {
  return { type: RTM.GETLINK, flags: 0, content: header(0, {}), words: ["ip", "-s", "link", "show"] };
}

/** `struct ifinfomsg` (linux/rtnetlink.h): family, type, index, flags, which flags change. */
function header(index: Value, { up }: LinkProperties): Chunk {
  const flags = up === true ? IFF_UP : 0;
  return join(u8(AF.UNSPEC, 0), u16(0), u32(index), u32(flags), u32(up === undefined ? 0 : IFF_UP));
}

function properties({ mac, master, mtu, netns, txqueuelen }: LinkProperties): Chunk[] {
  return [
    ...(txqueuelen === undefined ? [] : [attribute(IFLA.TXQLEN, u32(txqueuelen))]),
    ...(mac === undefined ? [] : [attribute(IFLA.ADDRESS, raw(macBytes(mac)))]),
    ...(mtu === undefined ? [] : [attribute(IFLA.MTU, u32(mtu))]),
    ...(master === undefined ? [] : [attribute(IFLA.MASTER, u32(master.index))]),
    ...(netns === undefined ? [] : [attribute(IFLA.NET_NS_PID, u32(netns))]),
  ];
}

function propertyWords({ mac, master, mtu, netns, txqueuelen, up }: LinkProperties): Word[] {
  return [
    ...(txqueuelen === undefined ? [] : ["txqueuelen", String(txqueuelen)]),
    ...(mac === undefined ? [] : ["address", mac]),
    ...(mtu === undefined ? [] : ["mtu", String(mtu)]),
    ...(master === undefined ? [] : ["master", master.name]),
    ...(netns === undefined ? [] : ["netns", typeof netns === "number" ? String(netns) : netns]),
    ...(up === undefined ? [] : [up ? "up" : "down"]),
  ];
}

function kindData(link: NewLink): Chunk[] {
  switch (link.kind) {
    case "bridge":
    case "dummy":
      return [];
    case "veth":
      return [
        attribute(
          VETH_INFO_PEER,
          header(0, link.peer),
          attribute(IFLA.IFNAME, text(link.peer.name)),
          ...properties(link.peer),
        ),
      ];
    case "vlan":
      return [attribute(IFLA_VLAN_ID, u16(link.id))];
    case "macvlan":
      return [attribute(IFLA_MACVLAN_MODE, u32(MACVLAN_MODE[link.mode]))];
    case "ipvlan":
      return [
        join(
          attribute(IFLA_IPVLAN.MODE, u16(IPVLAN_MODE[link.mode])),
          attribute(IFLA_IPVLAN.FLAGS, u16(IPVLAN_F[link.flag])),
        ),
      ];
  }
}

function kindWords(link: NewLink): Word[] {
  switch (link.kind) {
    case "bridge":
    case "dummy":
      return [];
    case "veth":
      return ["peer", "name", link.peer.name, ...propertyWords(link.peer)];
    case "vlan":
      return ["id", String(link.id)];
    case "macvlan":
      return ["mode", link.mode];
    case "ipvlan":
      return ["mode", link.mode, link.flag];
  }
}
