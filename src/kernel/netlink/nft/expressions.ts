import { knownAddress, knownNetwork } from "../address.ts";
import { attribute, be16, be32, be64, type Chunk, join, nested, raw, text, u8, u32 } from "../chunk.ts";
import {
  BITWISE,
  CMP,
  CMP_OP,
  COUNTER,
  CSUM_INET,
  CSUM_PSEUDO_HEADER,
  CT,
  CT_KEY,
  CT_STATE,
  CT_STATUS,
  DATA,
  DATA_VERDICT,
  EXPRESSION,
  FIB,
  FIB_ADDRTYPE,
  FIB_DADDR,
  IMMEDIATE,
  IPPROTO,
  LIST_ELEMENT,
  META,
  META_KEY,
  NAT,
  NAT_DNAT,
  NAT_SNAT,
  NF_NAT_RANGE_PROTO_SPECIFIED,
  NFPROTO,
  PAYLOAD,
  PAYLOAD_BASE,
  REGISTER,
  RTN_LOCAL,
  VERDICT,
} from "./numbers.ts";
import type { Action, Condition, Rule } from "./rule.ts";

/** Rules as the kernel's expressions, the way nft(8) compiles them (`nft --debug=netlink`). */

/**
 * The content of NFTA_RULE_EXPRESSIONS.
 * @param family of the table: in one of a single family nothing asks for it
 */
export function expressions({ counter, then, when }: Rule, family: keyof typeof NFPROTO): Chunk {
  const known: Known = { family: family === "inet" ? undefined : NFPROTO[family], protocol: undefined };
  return join(
    ...when.flatMap((condition) => conditionOf(condition, known)),
    ...(counter
      ? [expression("counter", attribute(COUNTER.BYTES, be64(0n)), attribute(COUNTER.PACKETS, be64(0n)))]
      : []),
    ...actionOf(then),
  );
}

/** What a rule has tested already: an address is only one in its family, a port only in its protocol. */
interface Known {
  family: number | undefined;
  protocol: number | undefined;
}

function conditionOf(condition: Condition, known: Known): Chunk[] {
  switch (condition.match) {
    case "iifname":
    case "oifname": {
      const name = new Uint8Array(16);
      name.set(new TextEncoder().encode(condition.name).subarray(0, 15));
      return [meta(META_KEY[condition.match]), compare(condition.is, raw(name))];
    }
    case "saddr":
    case "daddr":
      return addressOf(condition, known);
    case "family":
      return familyIs(condition.family === "ipv4" ? NFPROTO.ip : NFPROTO.ip6, known);
    case "protocol":
      return protocolIs(IPPROTO[condition.protocol], known);
    case "sport":
    case "dport":
      return [
        ...protocolIs(IPPROTO[condition.protocol], known),
        payload(PAYLOAD_BASE.transport, PORT[condition.match], 2),
        compare("==", be16(condition.port)),
      ];
    case "state":
      return bits(
        CT_KEY.state,
        condition.states.reduce((mask, state) => mask | CT_STATE[state], 0),
      );
    case "status":
      return bits(CT_KEY.status, CT_STATUS[condition.status]);
    case "local":
      return [
        expression(
          "fib",
          attribute(FIB.FLAGS, be32(FIB_DADDR)),
          attribute(FIB.RESULT, be32(FIB_ADDRTYPE)),
          attribute(FIB.DREG, be32(REGISTER.FIRST)),
        ),
        compare("==", u32(RTN_LOCAL)),
      ];
  }
}

function familyIs(family: number, known: Known): Chunk[] {
  if (known.family === family) return [];
  known.family = family;
  return [meta(META_KEY.nfproto), compare("==", u8(family))];
}

function protocolIs(protocol: number, known: Known): Chunk[] {
  if (known.protocol === protocol) return [];
  known.protocol = protocol;
  return [meta(META_KEY.l4proto), compare("==", u8(protocol))];
}

/** Where they are in the headers of IPv4, and of TCP, UDP and SCTP. */
const ADDRESS = { saddr: 12, daddr: 16 } as const;
const PORT = { sport: 0, dport: 2 } as const;
/** Where the checksums are. */
const CHECKSUM = { ip: 10, tcp: 16, udp: 6 } as const;

/** Of whole bytes only those are loaded that are the network's; else all of them, and a mask. */
function addressOf(
  { is, match, network }: Extract<Condition, { match: "saddr" | "daddr" }>,
  known: Known,
): Chunk[] {
  const v6 = network.includes(":");
  const { bits: length, bytes } = network.includes("/")
    ? knownNetwork(network)
    : { bytes: knownAddress(network), bits: v6 ? 128 : 32 };
  const offset = v6 ? { saddr: 8, daddr: 24 }[match] : ADDRESS[match];
  const test = familyIs(v6 ? NFPROTO.ip6 : NFPROTO.ip, known);
  if (length === 0) return test;
  const masked = bytes.map((byte, index) => byte & maskByte(length, index));
  if (length % 8 === 0) {
    const size = length / 8;
    return [...test, payload(PAYLOAD_BASE.network, offset, size), compare(is, raw(masked.subarray(0, size)))];
  }
  const mask = bytes.map((_, index) => maskByte(length, index));
  return [
    ...test,
    payload(PAYLOAD_BASE.network, offset, bytes.length),
    bitwise(raw(mask)),
    compare(is, raw(masked)),
  ];
}

const maskByte = (bits: number, index: number) =>
  (0xff << (8 - Math.min(Math.max(bits - index * 8, 0), 8))) & 0xff;

/** A word of conntrack has one of these bits. */
function bits(key: number, mask: number): Chunk[] {
  return [
    expression("ct", attribute(CT.KEY, be32(key)), attribute(CT.DREG, be32(REGISTER.FIRST))),
    bitwise(u32(mask)),
    compare("!=", u32(0)),
  ];
}

function actionOf(action: Action): Chunk[] {
  switch (action.kind) {
    case "accept":
    case "drop":
    case "return":
      return [verdict(VERDICT[action.kind])];
    case "jump":
    case "goto":
      return [verdict(VERDICT[action.kind], action.chain)];
    case "masquerade":
      return [expression("masq")];
    case "snat":
      return [
        immediate(REGISTER.FIRST, raw(knownAddress(action.address))),
        translate(NAT_SNAT, action.address),
      ];
    case "dnat":
      return [
        immediate(REGISTER.FIRST, raw(knownAddress(action.address))),
        immediate(REGISTER.SECOND, be16(action.port)),
        translate(
          NAT_DNAT,
          action.address,
          attribute(NAT.REG_PROTO_MIN, be32(REGISTER.SECOND)),
          attribute(NAT.FLAGS, be32(NF_NAT_RANGE_PROTO_SPECIFIED)),
        ),
      ];
    case "rewrite":
      return [
        ...addressTo(ADDRESS.saddr, action.saddr),
        ...addressTo(ADDRESS.daddr, action.daddr),
        immediate(REGISTER.FIRST, be16(action.port)),
        payloadWrite(PAYLOAD_BASE.transport, PORT[action.which], 2, CHECKSUM[action.protocol], 0),
      ];
  }
}

function expression(name: string, ...data: readonly Chunk[]): Chunk {
  return nested(LIST_ELEMENT, attribute(EXPRESSION.NAME, text(name)), nested(EXPRESSION.DATA, ...data));
}

/** To the address in the first register. */
const translate = (type: number, address: string, ...more: readonly Chunk[]): Chunk =>
  expression(
    "nat",
    attribute(NAT.TYPE, be32(type)),
    attribute(NAT.FAMILY, be32(address.includes(":") ? NFPROTO.ip6 : NFPROTO.ip)),
    attribute(NAT.REG_ADDR_MIN, be32(REGISTER.FIRST)),
    ...more,
  );

const meta = (key: number) =>
  expression("meta", attribute(META.KEY, be32(key)), attribute(META.DREG, be32(REGISTER.FIRST)));

const payload = (base: number, offset: number, length: number) =>
  expression(
    "payload",
    attribute(PAYLOAD.DREG, be32(REGISTER.FIRST)),
    attribute(PAYLOAD.BASE, be32(base)),
    attribute(PAYLOAD.OFFSET, be32(offset)),
    attribute(PAYLOAD.LEN, be32(length)),
  );

/** Writes what the register holds, and mends the checksums. */
const payloadWrite = (base: number, offset: number, length: number, checksum: number, flags: number) =>
  expression(
    "payload",
    attribute(PAYLOAD.SREG, be32(REGISTER.FIRST)),
    attribute(PAYLOAD.BASE, be32(base)),
    attribute(PAYLOAD.OFFSET, be32(offset)),
    attribute(PAYLOAD.LEN, be32(length)),
    attribute(PAYLOAD.CSUM_TYPE, be32(CSUM_INET)),
    attribute(PAYLOAD.CSUM_OFFSET, be32(checksum)),
    attribute(PAYLOAD.CSUM_FLAGS, be32(flags)),
  );

const addressTo = (offset: number, address: string): Chunk[] => [
  immediate(REGISTER.FIRST, raw(knownAddress(address))),
  payloadWrite(PAYLOAD_BASE.network, offset, 4, CHECKSUM.ip, CSUM_PSEUDO_HEADER),
];

const value = (data: Chunk) => attribute(DATA.VALUE, data);

const compare = (is: "==" | "!=", data: Chunk) =>
  expression(
    "cmp",
    attribute(CMP.SREG, be32(REGISTER.FIRST)),
    attribute(CMP.OP, be32(CMP_OP[is])),
    nested(CMP.DATA, value(data)),
  );

const bitwise = (mask: Chunk) =>
  expression(
    "bitwise",
    attribute(BITWISE.SREG, be32(REGISTER.FIRST)),
    attribute(BITWISE.DREG, be32(REGISTER.FIRST)),
    attribute(BITWISE.LEN, be32(mask.bytes.length)),
    nested(BITWISE.MASK, value(mask)),
    nested(BITWISE.XOR, value(raw(new Uint8Array(mask.bytes.length)))),
  );

const immediate = (register: number, data: Chunk) =>
  expression("immediate", attribute(IMMEDIATE.DREG, be32(register)), nested(IMMEDIATE.DATA, value(data)));

const verdict = (code: number, chain?: string) =>
  expression(
    "immediate",
    attribute(IMMEDIATE.DREG, be32(REGISTER.VERDICT)),
    nested(
      IMMEDIATE.DATA,
      nested(
        DATA.VERDICT,
        attribute(DATA_VERDICT.CODE, be32(code)),
        ...(chain === undefined ? [] : [attribute(DATA_VERDICT.CHAIN, text(chain))]),
      ),
    ),
  );
