import { knownAddress } from "../address.ts";
import { attribute, join, raw, u8, u32 } from "../chunk.ts";
import { NLM_F, type Request } from "../message.ts";
import type { LinkRef } from "./link.ts";
import { AF, IFA, IFA_F_NODAD, RT, RTM } from "./numbers.ts";

/**
 * Give an interface an address (`RTM_NEWADDR`), an IPv4 one with its network's broadcast address, an IPv6 one without
 * waiting for duplicate address detection. EEXIST where the interface has it.
 */
export function addAddress(link: LinkRef, address: string, bits: number): Request {
  const bytes = knownAddress(address);
  const broadcast = bytes.length === 4 && bits < 31 ? broadcastOf(bytes, bits) : undefined;
  const v6 = bytes.length === 16;
  return {
    type: RTM.NEWADDR,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    content: join(
      // struct ifaddrmsg (linux/if_addr.h): family, prefix length, flags, scope, index.
      u8(v6 ? AF.INET6 : AF.INET, bits, v6 ? IFA_F_NODAD : 0, RT.SCOPE_UNIVERSE),
      u32(link.index),
      attribute(IFA.LOCAL, raw(bytes)),
      attribute(IFA.ADDRESS, raw(bytes)),
      ...(broadcast === undefined ? [] : [attribute(IFA.BROADCAST, raw(broadcast))]),
    ),
    words: [
      ...["ip", "address", "add", `${address}/${bits}`],
      ...(broadcast === undefined ? [] : ["broadcast", broadcast.join(".")]),
      ...["dev", link.name],
      ...(v6 ? ["nodad"] : []),
    ],
  };
}

/** All addresses of the namespace; see `decodeAddresses`. */
export function listAddresses(): Request {
  return {
    type: RTM.GETADDR,
    flags: 0,
    content: join(u8(AF.UNSPEC, 0, 0, 0), u32(0)),
    words: ["ip", "address", "show"],
  };
}

function broadcastOf(address: Uint8Array, bits: number): Uint8Array {
  return address.map((byte, index) => byte | (0xff >> Math.min(Math.max(bits - index * 8, 0), 8)));
}
