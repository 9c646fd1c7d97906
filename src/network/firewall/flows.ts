import { decodeFlows, deleteFlow, listFlows } from "../../kernel/netlink/conntrack.ts";
import { IPPROTO } from "../../kernel/netlink/nft/numbers.ts";
import { StepError } from "../../plan/error.ts";
import type { RunResult } from "../../plan/run.ts";
import type { Plan } from "../../plan/step.ts";
import { openNetlink } from "../wires/socket.ts";
import { listPlan } from "./plans.ts";
import type { Chain } from "./ruleset.ts";

const WHY = "let packets to a published port find the container that has it now";

/**
 * Where datagrams were sent on to under `before` that `after` sends elsewhere, or nowhere. A flow goes on to where its
 * first packet went as long as somebody sends; connections of TCP end with their container.
 */
export function goneTargets(before: readonly Chain[], after: readonly Chain[]): readonly string[] {
  const targets = (chains: readonly Chain[]) =>
    chains
      .flatMap(({ rules }) => rules)
      .flatMap(({ then, when }) =>
        then.kind === "dnat" && when.some((each) => each.match === "dport" && each.protocol === "udp")
          ? [then.address]
          : [],
      );
  const counted = (all: readonly string[]) => {
    const counts = new Map<string, number>();
    for (const each of all) counts.set(each, (counts.get(each) ?? 0) + 1);
    return counts;
  };
  const is = counted(targets(after));
  return [...counted(targets(before))].flatMap(([address, count]) =>
    (is.get(address) ?? 0) < count ? [address] : [],
  );
}

/** Makes the kernel forget these flows; it is no failure of the rules where it cannot (Linux 5.8). */
export async function forgetFlows(
  runPlan: (plan: Plan) => Promise<RunResult>,
  addresses: readonly string[],
): Promise<void> {
  for (const address of addresses) {
    try {
      const { output } = await runPlan(listPlan(listFlows(IPPROTO.udp, address), WHY));
      const flows = decodeFlows(output);
      if (flows.length > 0) await runPlan(forgetPlan(flows.map(deleteFlow)));
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
    }
  }
}

const forgetPlan = (requests: readonly ReturnType<typeof deleteFlow>[]): Plan => ({
  steps: [
    openNetlink("netfilter", "flows", WHY),
    {
      kind: "netlink",
      socket: "flows",
      protocol: "conntrack",
      messages: requests.map((request) => ({ kind: "message", request, why: WHY, tolerate: ["ENOENT"] })),
    },
  ],
});
