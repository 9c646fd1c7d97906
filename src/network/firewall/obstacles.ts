import type { ListedChain } from "../../kernel/netlink/nft/decode.ts";
import { TABLE } from "./change.ts";
import type { Obstacle } from "./types.ts";

const FORWARDED = new Set(["ip", "ip6", "inet"]);
const TOOL = { ip: "iptables", ip6: "ip6tables" } as const;

/**
 * Other people's chains that drop what is forwarded unless one of their own rules accepts it. Whatever our table
 * accepts, such a policy has its say too.
 */
export function obstaclesIn(chains: readonly ListedChain[]): Obstacle[] {
  return chains
    .filter(
      ({ family, hook, policy, table }) =>
        hook === "forward" && policy === "drop" && FORWARDED.has(family) && table !== TABLE.name,
    )
    .map(({ family, name, table }) => ({
      family,
      table,
      chain: name,
      message:
        (family === "ip" || family === "ip6") && table === "filter" && name === "FORWARD"
          ? `${TOOL[family]}' policy for FORWARD is DROP: containers reach other hosts, and are reached through published ports, only where its rules accept that (${TOOL[family]} -I FORWARD -o BRIDGE -j ACCEPT, and the same with -i)`
          : `the chain ${name} of the nftables table ${family} ${table} drops what is forwarded unless its rules accept it: containers reach other hosts, and are reached through published ports, only where they do`,
    }));
}
