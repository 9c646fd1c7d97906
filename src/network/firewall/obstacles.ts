import type { ListedChain } from "../../kernel/netlink/nft/decode.ts";
import { ASKED, HEARD_PORT } from "../dns/place.ts";
import type { Obstacle } from "./types.ts";

const FAMILIES = new Set(["ip", "ip6", "inet"]);
const TOOL = { ip: "iptables", ip6: "ip6tables" } as const;
/** The chain of iptables at each place. */
const CHAIN = { forward: "FORWARD", input: "INPUT" } as const;

/**
 * Other people's chains that drop what is forwarded, or what comes to the host itself, unless one of their own rules
 * accepts it. Whatever our table accepts, such a policy has its say too.
 */
export function obstaclesIn(chains: readonly ListedChain[]): Obstacle[] {
  return chains.flatMap(({ family, hook, name, policy, table }) =>
    (hook === "forward" || hook === "input") && policy === "drop" && FAMILIES.has(family)
      ? [obstacleOf(family, table, name, hook)]
      : [],
  );
}

/** One chain in the way, with the sentence that says so. */
export function obstacleOf(family: string, table: string, chain: string, hook: Obstacle["hook"]): Obstacle {
  const tool =
    (family === "ip" || family === "ip6") && table === "filter" && chain === CHAIN[hook]
      ? TOOL[family]
      : undefined;
  const message =
    hook === "forward" ? forwarded(family, table, chain, tool) : asked(family, table, chain, tool);
  return { family, table, chain, hook, message };
}

function forwarded(family: string, table: string, chain: string, tool?: string): string {
  const lost = "containers reach other hosts, and are reached through published ports, only where";
  return tool === undefined
    ? `the chain ${chain} of the nftables table ${family} ${table} drops what is forwarded unless its rules accept it: ${lost} they do`
    : `${tool}' policy for FORWARD is DROP: ${lost} its rules accept that (${tool} -I FORWARD -o BRIDGE -j ACCEPT, and the same with -i)`;
}

/** Containers' questions for names are all that needs to come to the host. */
function asked(family: string, table: string, chain: string, tool?: string): string {
  const port = family === "ip6" ? ASKED.port : HEARD_PORT;
  const lost = `containers on networks of their own find no names unless its rules accept their questions, at port ${port} of the networks' bridges`;
  return tool === undefined
    ? `the chain ${chain} of the nftables table ${family} ${table} drops what comes to this host: ${lost}`
    : `${tool}' policy for INPUT is DROP: ${lost} (${tool} -I INPUT -i br-+ -p udp --dport ${port} -j ACCEPT, and the same for tcp)`;
}
