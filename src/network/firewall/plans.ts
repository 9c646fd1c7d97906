import type { Request } from "../../kernel/netlink/message.ts";
import { call, from, mem, num, struct, u32 } from "../../plan/build.ts";
import type { Plan, Step } from "../../plan/step.ts";
import { openNetlink } from "../wires/socket.ts";

const SOCKET = "rules";
const HINT =
  "this kernel lacks a part of nf_tables (CONFIG_NF_TABLES_INET, NFT_CT, NFT_NAT, NFT_MASQ, NFT_FIB_INET), or its modules cannot be loaded";

/** Requests as one batch: all of them, or an error and none. */
export function firewallPlan(requests: readonly Request[], why: string): Plan {
  return Object.freeze({
    steps: [
      openNetlink("netfilter", SOCKET, { why, hint: HINT }),
      ...roomFor(requests),
      {
        kind: "netlink",
        socket: SOCKET,
        protocol: "netfilter",
        messages: requests.map((request) => ({
          kind: "message" as const,
          request,
          why,
          hints: {
            EOPNOTSUPP: HINT,
            ENOENT: HINT,
            EPERM: "the engine needs CAP_NET_ADMIN to change the firewall",
          },
        })),
      },
    ] satisfies Step[],
  });
}

/** asm-generic/socket.h */
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
/** What a socket takes at once without being asked (net.core.wmem_default, less what the kernel keeps books with). */
const USUAL = 100_000;

/** A batch is one message to the socket, however long. */
function roomFor(requests: readonly Request[]): Step[] {
  const size = requests.reduce((sum, { content }) => sum + content.bytes.length + 20, 64);
  if (size < USUAL) return [];
  return [
    call(
      "setsockopt",
      [
        from(SOCKET),
        num(SOL_SOCKET, "SOL_SOCKET"),
        num(SO_SNDBUFFORCE, "SO_SNDBUFFORCE"),
        mem(struct([u32(size * 2)]), String(size * 2)),
        num(4),
      ],
      "send many rules at once",
    ),
  ];
}

/** Ask for a list; the answer is the plan's output. */
export function listPlan(request: Request, why: string): Plan {
  return Object.freeze({
    steps: [
      openNetlink("netfilter", SOCKET, { why, hint: HINT }),
      { kind: "dump", socket: SOCKET, request, why },
    ] satisfies Step[],
  });
}
