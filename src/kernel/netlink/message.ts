import { be16, type Chunk, join, u8, u16, u32 } from "./chunk.ts";

/** linux/netlink.h */
export const NETLINK = { AF: 16, ROUTE: 0, NETFILTER: 12, SOCK_RAW: 3 } as const;
/** linux/netlink.h */
export const NLM_F = {
  REQUEST: 0x1,
  ACK: 0x4,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
  DUMP: 0x300,
} as const;
/** linux/netlink.h */
export const NLMSG = { ERROR: 2, DONE: 3 } as const;

/** Bytes of `struct nlmsghdr`. */
export const HEADER = 16;
/** Where `nlmsg_seq` is in it, and behind it the error of an answer (`struct nlmsgerr`). */
export const SEQUENCE = 8;
export const ERROR = 16;

/** A word of a command; a slot where a program has the value. */
export type Word = string | { readonly slot: string };

/** How messages are framed: nf_tables takes batches with a beginning and an end, the others message after message. */
export type Protocol = "route" | "netfilter" | "conntrack";

/** One thing that the kernel is asked to do. */
export interface Request {
  /** `nlmsg_type`. */
  readonly type: number;
  /** `nlmsg_flags` beyond NLM_F_REQUEST. */
  readonly flags: number;
  readonly content: Chunk;
  /** The command that people would type: `ip …`, or `nft` and one line of its language. */
  readonly words: readonly Word[];
}

/** `struct nlmsghdr` and what follows it, padded. */
export function message(type: number, flags: number, sequence: number, content: Chunk): Chunk {
  const length = HEADER + content.bytes.length;
  const padding = new Uint8Array(-length & 3);
  return join(u32(length), u16(type), u16(flags | NLM_F.REQUEST), u32(sequence), u32(0), content, {
    bytes: padding,
    holes: [],
  });
}

/** linux/netfilter/nfnetlink.h: NFNL_MSG_BATCH_BEGIN and END, and the subsystem that a batch is for. */
const BATCH = { BEGIN: 16, END: 17 } as const;
const NFTABLES = 10;

/** `struct nfgenmsg` of a batch's ends: no family, version 0, the subsystem in `res_id`. */
const end = join(u8(0, 0), be16(NFTABLES));

/**
 * Requests as the bytes of one `sendto`. Their sequence numbers are their places. The kernel answers each that it
 * refuses, and the last one in any case: rtnetlink goes on after a refusal, nf_tables does all or nothing.
 */
export function batch(protocol: Protocol, requests: readonly Request[]): Chunk {
  const last = requests.length - 1;
  const messages = requests.map(({ content, flags, type }, index) =>
    message(type, index === last ? flags | NLM_F.ACK : flags, index, content),
  );
  if (protocol !== "netfilter") return join(...messages);
  return join(message(BATCH.BEGIN, 0, 0, end), ...messages, message(BATCH.END, 0, last, end));
}

/** A request to list things, as the bytes of one `sendto`. */
export const dump = ({ content, flags, type }: Request): Chunk =>
  message(type, flags | NLM_F.DUMP, 0, content);
