import type { ListedChain } from "../../kernel/netlink/nft/decode.ts";
import type { Obstacle } from "./types.ts";

const FORWARDED = new Set(["ip", "ip6", "inet"]);
const TOOL = { ip: "iptables", ip6: "ip6tables" } as const;

/**
 * Other people's chains that drop what is forwarded unless one of their own rules accepts it. Whatever our table
 * accepts, such a policy has its say too.
 */
export function obstaclesIn(chains: readonly ListedChain[]): Obstacle[] {
  return chains
    .filter(({ family, hook, policy }) => hook === "forward" && policy === "drop" && FORWARDED.has(family))
    .map(({ family, name, table }) => obstacleOf(family, table, name));
}

/** One chain in the way, with the sentence that says so. */
export function obstacleOf(family: string, table: string, chain: string): Obstacle {
  const ours =
    (family === "ip" || family === "ip6") && table === "filter" && chain === "FORWARD"
      ? TOOL[family]
      : undefined;
  const message =
    ours === undefined
      ? `the chain ${chain} of the nftables table ${family} ${table} drops what is forwarded unless its rules accept it: containers reach other hosts, and are reached through published ports, only where they do`
      : `${ours}' policy for FORWARD is DROP: containers reach other hosts, and are reached through published ports, only where its rules accept that (${ours} -I FORWARD -o BRIDGE -j ACCEPT, and the same with -i)`;
  return { family, table, chain, message };
}
