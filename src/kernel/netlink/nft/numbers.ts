/** Numbers of nf_tables: linux/netfilter/nf_tables.h, where nothing else is said. */

/** linux/netfilter/nfnetlink.h: the subsystem, in the upper byte of a message's type. */
const NFTABLES = 10 << 8;
export const NFT_MSG = {
  NEWTABLE: NFTABLES | 0,
  DELTABLE: NFTABLES | 2,
  NEWCHAIN: NFTABLES | 3,
  GETCHAIN: NFTABLES | 4,
  DELCHAIN: NFTABLES | 5,
  NEWRULE: NFTABLES | 6,
  GETRULE: NFTABLES | 7,
  DELRULE: NFTABLES | 8,
} as const;

/** linux/netfilter.h */
export const NFPROTO = { unspec: 0, inet: 1, ip: 2, ip6: 10 } as const;
/** linux/netfilter.h */
export const HOOK = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
/** linux/netfilter.h: verdicts of a whole packet; NFT_*: of a chain. */
export const VERDICT = { drop: 0, accept: 1, jump: -3, goto: -4, return: -5 } as const;

export const TABLE = { NAME: 1, FLAGS: 2 } as const;
export const CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5, TYPE: 7 } as const;
export const CHAIN_HOOK = { NUMBER: 1, PRIORITY: 2 } as const;
export const RULE = { TABLE: 1, CHAIN: 2, HANDLE: 3, EXPRESSIONS: 4, USERDATA: 7 } as const;
export const LIST_ELEMENT = 1;
export const EXPRESSION = { NAME: 1, DATA: 2 } as const;
/** libnftnl/udata.h: the type of a comment in a rule's user data. */
export const UDATA_COMMENT = 0;
/** libnftnl/udata.h: with its NUL. */
export const COMMENT_SIZE = 128;

export const DATA = { VALUE: 1, VERDICT: 2 } as const;
export const DATA_VERDICT = { CODE: 1, CHAIN: 2 } as const;
export const REGISTER = { VERDICT: 0, FIRST: 1, SECOND: 2 } as const;

export const META = { DREG: 1, KEY: 2 } as const;
export const META_KEY = { iifname: 6, oifname: 7, nfproto: 15, l4proto: 16 } as const;
export const CMP = { SREG: 1, OP: 2, DATA: 3 } as const;
export const CMP_OP = { "==": 0, "!=": 1 } as const;
export const BITWISE = { SREG: 1, DREG: 2, LEN: 3, MASK: 4, XOR: 5 } as const;
export const PAYLOAD = {
  DREG: 1,
  BASE: 2,
  OFFSET: 3,
  LEN: 4,
  SREG: 5,
  CSUM_TYPE: 6,
  CSUM_OFFSET: 7,
  CSUM_FLAGS: 8,
} as const;
/** The internet checksum (RFC 791), and that addresses are in that of the layer above, too. */
export const CSUM_INET = 1;
export const CSUM_PSEUDO_HEADER = 1;
export const PAYLOAD_BASE = { network: 1, transport: 2 } as const;
export const CT = { DREG: 1, KEY: 2 } as const;
export const CT_KEY = { state: 0, status: 2 } as const;
/** NF_CT_STATE_BIT of enum ip_conntrack_info. */
export const CT_STATE = { invalid: 1, established: 2, related: 4, new: 8 } as const;
/** linux/netfilter/nf_conntrack_common.h */
export const CT_STATUS = { snat: 0x10, dnat: 0x20 } as const;
export const FIB = { DREG: 1, RESULT: 2, FLAGS: 3 } as const;
export const FIB_ADDRTYPE = 3;
export const FIB_DADDR = 2;
/** linux/rtnetlink.h */
export const RTN_LOCAL = 2;
export const COUNTER = { BYTES: 1, PACKETS: 2 } as const;
export const IMMEDIATE = { DREG: 1, DATA: 2 } as const;
export const NAT = { TYPE: 1, FAMILY: 2, REG_ADDR_MIN: 3, REG_PROTO_MIN: 5, FLAGS: 7 } as const;
export const NAT_SNAT = 0;
export const NAT_DNAT = 1;
/** linux/netfilter/nf_nat.h */
export const NF_NAT_RANGE_PROTO_SPECIFIED = 2;
/** linux/in.h, linux/in6.h */
export const IPPROTO = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 } as const;
