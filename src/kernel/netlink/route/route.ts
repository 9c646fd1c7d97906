import { knownAddress } from "../address.ts";
import { attribute, join, raw, u8, u32 } from "../chunk.ts";
import { NLM_F, type Request } from "../message.ts";
import type { LinkRef } from "./link.ts";
import { AF, RT, RTA, RTM, RTN_UNICAST, RTPROT_BOOT } from "./numbers.ts";

export interface NewRoute {
  /** `"0.0.0.0"` with 0 bits, or `"::"`, is the default route. */
  readonly to: string;
  readonly bits: number;
  /** Without one everything is reached on the link itself. */
  readonly via?: string;
  readonly link: LinkRef;
}

/** Add a route to the main table (`RTM_NEWROUTE`); EEXIST where there is one, unless it is to be replaced. */
export function addRoute({ bits, link, to, via }: NewRoute, how: "add" | "replace" = "add"): Request {
  const destination = knownAddress(to);
  const v6 = destination.length === 16;
  // As ip(8) has it: what needs no gateway is on the link. IPv6 has no scopes.
  const scope = via === undefined && !v6 ? RT.SCOPE_LINK : RT.SCOPE_UNIVERSE;
  return {
    type: RTM.NEWROUTE,
    flags: NLM_F.CREATE | (how === "add" ? NLM_F.EXCL : NLM_F.REPLACE),
    content: join(
      // struct rtmsg (linux/rtnetlink.h): family, bits, source bits, tos, table, protocol, scope, type, flags.
      u8(v6 ? AF.INET6 : AF.INET, bits, 0, 0, RT.TABLE_MAIN, RTPROT_BOOT, scope, RTN_UNICAST),
      u32(0),
      ...(bits === 0 ? [] : [attribute(RTA.DST, raw(destination))]),
      ...(via === undefined ? [] : [attribute(RTA.GATEWAY, raw(knownAddress(via)))]),
      attribute(RTA.OIF, u32(link.index)),
    ),
    words: [
      ...["ip", ...(v6 ? ["-6"] : []), "route", how, bits === 0 ? "default" : `${to}/${bits}`],
      ...(via === undefined ? [] : ["via", via]),
      ...["dev", link.name],
    ],
  };
}

/** All routes of the namespace, of all tables; see `decodeRoutes`. */
export function listRoutes(): Request {
  return {
    type: RTM.GETROUTE,
    flags: 0,
    content: join(u8(AF.UNSPEC, 0, 0, 0, 0, 0, 0, 0), u32(0)),
    words: ["ip", "route", "show", "table", "all"],
  };
}
