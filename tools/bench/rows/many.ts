import { type Docker, docker, removeMany, startMany } from "../api.ts";
import { parentOf, pss, rest, withChildren } from "../memory.ts";
import { IMAGE } from "../peers.ts";
import type { Row } from "../row.ts";
import { median } from "../sample.ts";

const COUNT = 200;
const CLIENTS = 8;

interface Engine {
  readonly name: string;
  readonly api: Docker;
  /** The engine's own processes, which grow with what they look after. */
  readonly own: readonly number[];
}

/** 200 sleeping containers from eight clients: how fast they come, and what each costs beyond itself. */
export const many: Row = {
  name: "many",
  measure: async ({ cais, peers, quick }) => {
    const engines: Engine[] = [
      ...(cais ? [{ name: "cais", api: cais.api, own: [cais.pid()] }] : []),
      ...(peers.docker
        ? [
            {
              name: "docker",
              api: docker(peers.docker.socket),
              own: withChildren(peers.docker.pid, "containerd"),
            },
          ]
        : []),
    ];
    const rates = new Map<string, number[]>();
    const costs = new Map<string, number[]>();
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      for (const engine of engines) {
        const { rate, cost } = await measure(engine);
        rates.set(engine.name, [...(rates.get(engine.name) ?? []), rate]);
        costs.set(engine.name, [...(costs.get(engine.name) ?? []), cost]);
      }
    }
    const middle = (all: Map<string, number[]>) =>
      new Map([...all].map(([name, some]) => [name, median(some)]));
    const cost = middle(costs);
    const target = { name: "each", value: cost.get("cais"), limit: 100, sense: "at most" } as const;
    return [
      { what: "200 started by 8 clients", unit: "per s", values: middle(rates), targets: [] },
      { what: "memory a sleeping one adds", unit: "KiB", values: cost, targets: [target] },
    ];
  },
};

async function measure({ api, own }: Engine): Promise<{ rate: number; cost: number }> {
  // The first ones make the engine load code that the others share.
  const first = await startMany(api, IMAGE, 10, CLIENTS);
  await removeMany(api, first.ids);

  await rest();
  const before = sum(own);
  const { ids, seconds } = await startMany(api, IMAGE, COUNT, CLIENTS);
  const helpers = new Set<number>();
  for (const id of ids) helpers.add(parentOf(await api.pid(id)));
  for (const pid of own) helpers.delete(pid);
  await rest();
  const cost = (sum([...helpers]) + sum(own) - before) / COUNT;
  await removeMany(api, ids);
  return { rate: COUNT / seconds, cost };
}

function sum(pids: readonly number[]): number {
  return pids.reduce((total, pid) => total + pss(pid), 0);
}
