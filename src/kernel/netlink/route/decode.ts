import { addressText, macText } from "../address.ts";
import { type Answer, attributesOf, textOf, u32Of, u64At } from "../decode.ts";
import { IFA, IFA_F_PERMANENT, IFF_UP, IFLA, IFLA_INFO, RT, RTA, RTM } from "./numbers.ts";

export interface ListedLink {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly mtu: number;
  readonly mac: string;
  /** `"veth"`, `"bridge"`; empty for a physical one. */
  readonly kind: string;
  /** Index of the bridge that it is a port of. */
  readonly master?: number;
  /** Index of its other end or parent, which may be in another namespace. */
  readonly peer?: number;
  readonly statistics: LinkStatistics;
}

export interface LinkStatistics {
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
}

/** The interfaces of an answer to `listLinks`. */
export function decodeLinks(answers: readonly Answer[]): ListedLink[] {
  return answers
    .filter(({ type }) => type === RTM.NEWLINK)
    .map(({ content }) => {
      // struct ifinfomsg: family, type, index, flags, change.
      const link = attributesOf(content.subarray(16));
      const mac = link.get(IFLA.ADDRESS);
      const master = u32Of(link.get(IFLA.MASTER));
      const peer = u32Of(link.get(IFLA.LINK));
      return {
        index: u32Of(content.subarray(4)) ?? 0,
        name: textOf(link.get(IFLA.IFNAME)),
        up: ((u32Of(content.subarray(8)) ?? 0) & IFF_UP) !== 0,
        mtu: u32Of(link.get(IFLA.MTU)) ?? 0,
        mac: mac === undefined ? "" : macText(mac),
        kind: textOf(attributesOf(link.get(IFLA.LINKINFO)).get(IFLA_INFO.KIND)),
        ...(master === undefined ? {} : { master }),
        ...(peer === undefined ? {} : { peer }),
        statistics: statisticsOf(link.get(IFLA.STATS64) ?? new Uint8Array()),
      };
    });
}

/** `struct rtnl_link_stats64` (linux/if_link.h). */
function statisticsOf(bytes: Uint8Array): LinkStatistics {
  const field = (index: number) => u64At(bytes, index * 8);
  return {
    rxPackets: field(0),
    txPackets: field(1),
    rxBytes: field(2),
    txBytes: field(3),
  };
}

export interface ListedAddress {
  /** Of the interface that has it. */
  readonly index: number;
  readonly address: string;
  readonly bits: number;
  /** For everybody, and for good: what is kept when an interface moves. */
  readonly lasting: boolean;
}

/** The addresses of an answer to `listAddresses`. */
export function decodeAddresses(answers: readonly Answer[]): ListedAddress[] {
  return answers
    .filter(({ type }) => type === RTM.NEWADDR)
    .flatMap(({ content }) => {
      // struct ifaddrmsg: family, bits, flags, scope, index.
      const found = attributesOf(content.subarray(8));
      const address = found.get(IFA.LOCAL) ?? found.get(IFA.ADDRESS);
      if (address === undefined) return [];
      const flags = u32Of(found.get(IFA.FLAGS)) ?? content[2] ?? 0;
      return [
        {
          index: u32Of(content.subarray(4)) ?? 0,
          address: addressText(address),
          bits: content[1] ?? 0,
          lasting: content[3] === RT.SCOPE_UNIVERSE && (flags & IFA_F_PERMANENT) !== 0,
        },
      ];
    });
}

export interface ListedRoute {
  /** Of the interface that it leads through. */
  readonly index: number;
  /** `"default"`, or in CIDR. */
  readonly to: string;
  readonly via?: string;
}

/** The routes of the main table in an answer to `listRoutes`. */
export function decodeRoutes(answers: readonly Answer[]): ListedRoute[] {
  return answers
    .filter(({ type, content }) => type === RTM.NEWROUTE && content[4] === RT.TABLE_MAIN)
    .flatMap(({ content }) => {
      // struct rtmsg: family, bits, source bits, tos, table, protocol, scope, type, flags.
      const found = attributesOf(content.subarray(12));
      const to = found.get(RTA.DST);
      const via = found.get(RTA.GATEWAY);
      const index = u32Of(found.get(RTA.OIF));
      if (index === undefined) return [];
      return [
        {
          index,
          to: to === undefined ? "default" : `${addressText(to)}/${content[1] ?? 0}`,
          ...(via === undefined ? {} : { via: addressText(via) }),
        },
      ];
    });
}
