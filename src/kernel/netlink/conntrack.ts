import { addressText, knownAddress } from "./address.ts";
import { attribute, be16, type Chunk, join, nested, raw, u8, u32 } from "./chunk.ts";
import { answers, attributesOf } from "./decode.ts";
import type { Request } from "./message.ts";
import { NFPROTO } from "./nft/numbers.ts";

/** Connection tracking (linux/netfilter/nfnetlink_conntrack.h): flows that the kernel remembers a translation of. */

const CTNETLINK = 1 << 8;
const MESSAGE = { NEW: CTNETLINK | 0, GET: CTNETLINK | 1, DELETE: CTNETLINK | 2 } as const;
const CTA = { TUPLE_ORIG: 1, TUPLE_REPLY: 2, ID: 12, FILTER: 25 } as const;
const TUPLE = { IP: 1, PROTO: 2 } as const;
const IP = { V4_SRC: 1, V4_DST: 2, V6_SRC: 3, V6_DST: 4 } as const;
const PROTO_NUM = 1;
/** net/netfilter/nf_internals.h: which parts of a tuple are compared (Linux 5.8). */
const FILTER = { ORIG_FLAGS: 1, REPLY_FLAGS: 2 } as const;
const FILTER_F = { IP_SRC: 1, PROTO_NUM: 8 } as const;

/** A flow, as far as it takes to forget it. */
export interface Flow {
  readonly family: 4 | 6;
  /** What it was sent from and to, before translation. */
  readonly source: string;
  readonly destination: string;
  /** CTA_TUPLE_ORIG and CTA_ID, as the kernel wrote them. */
  readonly tuple: Uint8Array;
  readonly id: Uint8Array;
}

const familyOf = (address: string) => (address.includes(":") ? 6 : 4);
/** `struct nfgenmsg`. */
const header = (family: 4 | 6): Chunk => join(u8(family === 4 ? NFPROTO.ip : NFPROTO.ip6, 0), be16(0));

/** Flows of an IP protocol that `address` answers; see `decodeFlows`. */
export function listFlows(protocol: number, address: string): Request {
  const family = familyOf(address);
  return {
    type: MESSAGE.GET,
    flags: 0,
    content: join(
      header(family),
      nested(
        CTA.TUPLE_REPLY,
        nested(TUPLE.IP, attribute(family === 4 ? IP.V4_SRC : IP.V6_SRC, raw(knownAddress(address)))),
        nested(TUPLE.PROTO, attribute(PROTO_NUM, u8(protocol))),
      ),
      nested(
        CTA.FILTER,
        attribute(FILTER.ORIG_FLAGS, u32(0)),
        attribute(FILTER.REPLY_FLAGS, u32(FILTER_F.IP_SRC | FILTER_F.PROTO_NUM)),
      ),
    ),
    words: ["conntrack", "-L", "-p", String(protocol), "--reply-src", address],
  };
}

/** Forget a flow: its next packet is translated anew. ENOENT where it has ended by itself. */
export function deleteFlow({ destination, family, id, source, tuple }: Flow): Request {
  return {
    type: MESSAGE.DELETE,
    flags: 0,
    content: join(header(family), nested(CTA.TUPLE_ORIG, raw(tuple)), attribute(CTA.ID, raw(id))),
    words: ["conntrack", "-D", "--orig-src", source, "--orig-dst", destination],
  };
}

/** The flows of an answer to `listFlows`. */
export function decodeFlows(bytes: Uint8Array): Flow[] {
  return answers(bytes)
    .filter(({ type }) => type === MESSAGE.NEW)
    .flatMap(({ content }) => {
      const flow = attributesOf(content.subarray(4));
      const tuple = flow.get(CTA.TUPLE_ORIG);
      const id = flow.get(CTA.ID);
      if (tuple === undefined || id === undefined) return [];
      const family = content[0] === NFPROTO.ip ? 4 : 6;
      const ip = attributesOf(attributesOf(tuple).get(TUPLE.IP));
      const text = (attributeType: number) => {
        const address = ip.get(attributeType);
        return address === undefined ? "" : addressText(address);
      };
      const source = text(family === 4 ? IP.V4_SRC : IP.V6_SRC);
      const destination = text(family === 4 ? IP.V4_DST : IP.V6_DST);
      return [{ family, source, destination, tuple, id }];
    });
}
