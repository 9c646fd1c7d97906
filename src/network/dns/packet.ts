import type { Answer, Packet } from "dns-packet";

/** Response codes of RFC 1035, 4.1.1, and RFC 6891, 9 (BADVERS: its upper bits are in the OPT record). */
export const RCODE = {
  ok: 0,
  malformed: 1,
  failed: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
} as const;
export type Rcode = (typeof RCODE)[keyof typeof RCODE];

const HEADER = 12;
/** The longest query we read: a question and some options. */
export const MAX_QUERY = 4096;
/** What a client without EDNS takes by UDP (RFC 1035, 4.2.1). */
const PLAIN_UDP = 512;
/** What we say we take, and the most we send by UDP: no fragment on any path. */
const UDP_SIZE = 1232;

const FLAG = { response: 0x8000, truncated: 0x0200, recurse: 0x0100, recursion: 0x0080 } as const;

/** The codec, loaded with the first network that needs names: it costs some milliseconds. */
let codec: Promise<Codec> | undefined;
type Codec = Pick<typeof import("dns-packet"), "decode" | "encode">;

/** The library, read once. */
export function loadCodec(): Promise<Codec> {
  codec ??= import("dns-packet").then((module) => module.default);
  return codec;
}

/** A query that we understand, with what its answer needs. */
export interface Query {
  readonly bytes: Buffer;
  readonly id: number;
  readonly flags: number;
  /** In lower case, without the dot at its end. */
  readonly name: string;
  /** `A`, `AAAA`, `PTR`, …; `UNKNOWN_65` for types without a name. */
  readonly type: string;
  /** The question as it was asked: answers repeat it, with the case that the client chose. */
  readonly question: Buffer;
  /** Whether the client speaks EDNS. */
  readonly edns: boolean;
  /** Bytes that the client takes by UDP. */
  readonly udpSize: number;
}

/**
 * Reads what a client sent.
 * @returns the answer where there is nothing to look up, null where nobody is to be answered
 */
export function readQuery(codec: Codec, bytes: Buffer): Query | Buffer | null {
  if (bytes.length < HEADER) return null;
  const flags = bytes.readUInt16BE(2);
  // An answer: whoever sent it did not ask us.
  if (flags & FLAG.response) return null;
  if ((flags >> 11) & 0xf) return failure(bytes, RCODE.notImplemented);
  // One question, nothing else but options: what is more has no meaning, and costs time to read.
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at));
  const end = questions === 1 ? questionEnd(bytes) : 0;
  if (!end || answers || authorities || (additionals ?? 0) > 2 || bytes.length > MAX_QUERY) {
    return failure(bytes, RCODE.malformed);
  }
  let packet: Packet;
  try {
    packet = codec.decode(bytes);
  } catch {
    return failure(bytes, RCODE.malformed);
  }
  const asked = packet.questions?.[0];
  if (!asked) return failure(bytes, RCODE.malformed);
  if (asked.class !== "IN") return failure(bytes, RCODE.notImplemented);
  const options = packet.additionals?.find((record) => record.type === "OPT");
  return {
    bytes,
    id: bytes.readUInt16BE(0),
    flags,
    name: asked.name.toLowerCase(),
    type: asked.type,
    question: bytes.subarray(HEADER, end),
    edns: options !== undefined,
    udpSize: Math.min(UDP_SIZE, Math.max(PLAIN_UDP, options?.udpPayloadSize ?? 0)),
  };
}

/** Where the only question ends, 0 when it does not: a name without pointers, type and class. */
export function questionEnd(bytes: Buffer): number {
  let at = HEADER;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > 63) return 0;
    at += length + 1;
    if (at - HEADER > 255) return 0;
    if (length === 0) break;
  }
  return at + 4 <= bytes.length ? at + 4 : 0;
}

/** The answer to a query, from what we know. @param limit bytes; what does not fit is cut, and said to be */
export function respond(
  codec: Codec,
  query: Query,
  rcode: Rcode,
  answers: readonly Answer[],
  limit: number,
): Buffer {
  const additionals: Answer[] = query.edns ? [OPTIONS] : [];
  const encode = (records: readonly Answer[]): Buffer =>
    codec.encode({ type: "response", answers: [...records], additionals });
  let records = encode(answers);
  let truncated = 0;
  if (records.length + query.question.length > limit) {
    truncated = FLAG.truncated;
    records = encode([]);
  }
  const bytes = Buffer.concat([records.subarray(0, HEADER), query.question, records.subarray(HEADER)]);
  bytes.writeUInt16BE(query.id, 0);
  bytes.writeUInt16BE(FLAG.response | FLAG.recursion | (query.flags & FLAG.recurse) | truncated | rcode, 2);
  bytes.writeUInt16BE(1, 4);
  return bytes;
}

const OPTIONS: Answer = {
  type: "OPT",
  name: ".",
  udpPayloadSize: UDP_SIZE,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

/** An answer without anything but a code, to a query that may be anything from its header on. */
export function failure(bytes: Buffer, rcode: Rcode): Buffer {
  const end = bytes.readUInt16BE(4) === 1 ? questionEnd(bytes) : 0;
  const answer = Buffer.alloc(end || HEADER);
  bytes.copy(answer, 0, 0, answer.length);
  const kept = bytes.readUInt16BE(2) & (0x7800 | FLAG.recurse);
  answer.writeUInt16BE(FLAG.response | FLAG.recursion | kept | rcode, 2);
  answer.writeUInt16BE(end ? 1 : 0, 4);
  answer.fill(0, 6, HEADER);
  return answer;
}

/** Whether these are an answer to what was asked: same id, same question. */
export function answers(asked: Buffer, bytes: Buffer): boolean {
  if (bytes.length < HEADER || !(bytes.readUInt16BE(2) & FLAG.response)) return false;
  if (bytes.readUInt16BE(0) !== asked.readUInt16BE(0)) return false;
  // Some servers leave the question out when they refuse it.
  if (bytes.readUInt16BE(4) === 0) return rcodeOf(bytes) !== RCODE.ok;
  const end = questionEnd(asked);
  return (
    bytes.readUInt16BE(4) === 1 &&
    bytes.length >= end &&
    lower(bytes.subarray(HEADER, end)) === lower(asked.subarray(HEADER, end))
  );
}

/** The code in an answer's header. */
export const rcodeOf = (bytes: Buffer): number => bytes.readUInt16BE(2) & 0xf;
const lower = (bytes: Buffer): string => bytes.toString("latin1").toLowerCase();
