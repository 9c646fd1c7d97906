import {
  decodeChains,
  decodeRules,
  type ListedChain,
  type ListedRule,
} from "../../kernel/netlink/nft/decode.ts";
import { listChains, listRules, type TableName } from "../../kernel/netlink/nft/requests.ts";
import { ruleText } from "../../kernel/netlink/nft/rule.ts";
import { StepError } from "../../plan/error.ts";
import type { RunResult } from "../../plan/run.ts";
import type { Plan } from "../../plan/step.ts";
import { change, needsHandles, rebuild, settled } from "./change.ts";
import { forgetFlows, goneTargets } from "./flows.ts";
import { legacyObstacles } from "./legacy.ts";
import { obstaclesIn } from "./obstacles.ts";
import { bridgesOfOthers, type Owner, ownerChain, tableFor } from "./owner.ts";
import { firewallPlan, listPlan } from "./plans.ts";
import { type Chain, ruleset } from "./ruleset.ts";
import type { Firewall, Obstacle, RuleReport } from "./types.ts";

/** Runs a plan in the namespace whose firewall it is. */
export type RunPlan = (plan: Plan) => Promise<RunResult>;

const WHY = "keep the firewall rules of the networks up to date";

/**
 * The table `inet cais` of the network namespace that plans run in, or one of the root's own where that is another
 * root's. The first `apply` writes it anew.
 */
export function createFirewall(runPlan: RunPlan, owner?: Owner): Firewall {
  /** Found out with the first rules. */
  let table: TableName | undefined;
  /** What the kernel has; undefined as long as that is not known. */
  let known: readonly Chain[] | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const serially = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
  const listed = async (chain?: string) =>
    decodeRules(
      (await runPlan(listPlan(listRules(table ?? tableFor(undefined, []), chain), "read the firewall rules")))
        .output,
    );

  return {
    apply: (state) =>
      serially(async () => {
        const rules = ruleset(state);
        const chains = owner === undefined || rules.length === 0 ? rules : [...rules, ownerChain(owner)];
        table ??= tableFor(owner, owner === undefined ? [] : await allChains(runPlan));
        const before = known;
        // Until it is done nobody knows.
        known = undefined;
        const changed = before !== undefined && (await changeTo(table, before, chains));
        if (!changed) await runPlan(firewallPlan(rebuild(table, chains), WHY));
        known = changed ? settled(before, chains) : chains;
        await forgetFlows(runPlan, goneTargets(before ?? [], chains));
      }),

    rules: () =>
      serially(async () => {
        const chains = known ?? [];
        if (chains.length === 0) return [];
        return reports(chains, await listed());
      }),

    obstacles: () => obstacles(runPlan),

    bridgesOfOthers: async () => bridgesOfOthers(owner, await allChains(runPlan)),
  };

  /** @returns false where somebody has removed a part of the table, or all of it (`nft flush ruleset`) */
  async function changeTo(
    table: TableName,
    before: readonly Chain[],
    chains: readonly Chain[],
  ): Promise<boolean> {
    try {
      const handles: ListedRule[] = [];
      for (const chain of needsHandles(before, chains)) handles.push(...(await listed(chain)));
      const requests = change(table, before, chains, handles);
      if (requests.length > 0) await runPlan(firewallPlan(requests, WHY));
      return true;
    } catch (error) {
      if (error instanceof StepError && ["ENOENT", "EBUSY", "EEXIST"].includes(error.errno)) return false;
      throw error;
    }
  }
}

const allChains = async (runPlan: RunPlan): Promise<readonly ListedChain[]> =>
  decodeChains((await runPlan(listPlan(listChains(), "read who else filters"))).output);

async function obstacles(runPlan: RunPlan): Promise<Obstacle[]> {
  try {
    return [...obstaclesIn(await allChains(runPlan)), ...(await legacyObstacles(runPlan))];
  } catch (error) {
    // A kernel without nf_tables has nobody's chains.
    if (error instanceof StepError) return [];
    throw error;
  }
}

/** The kernel's rules with their text: they are in the order in which they were sent. */
function reports(chains: readonly Chain[], listed: ReturnType<typeof decodeRules>): RuleReport[] {
  const places = new Map<string, number>();
  return listed.map(({ bytes, chain, comment, packets }) => {
    const place = places.get(chain) ?? 0;
    places.set(chain, place + 1);
    const rule = chains.find(({ name }) => name === chain)?.rules[place];
    return {
      chain,
      text: rule === undefined ? "" : ruleText({ ...rule, counter: false }),
      comment,
      packets,
      bytes,
    };
  });
}
