import { type Docker, docker, removeMany, startMany } from "../api.ts";
import { IMAGE } from "../peers.ts";
import type { Row } from "../row.ts";
import { medians, milliseconds } from "../sample.ts";
import { cycle } from "./api.ts";

const CROWD = 500;

/** A container's whole life, alone and beside 500 that run. */
export const crowd: Row = {
  name: "crowd",
  measure: async ({ cais, peers, runs, quick }) => {
    const engines: Record<string, Docker | undefined> = {
      cais: cais?.api,
      // Docker takes minutes for it.
      docker: peers.docker && !quick ? docker(peers.docker.socket) : undefined,
    };
    const alone = new Map<string, number>();
    const crowded = new Map<string, number>();
    for (const [name, engine] of Object.entries(engines)) {
      if (!engine) continue;
      alone.set(name, await latency(engine, runs));
      const { ids } = await startMany(engine, IMAGE, CROWD, 8);
      crowded.set(name, await latency(engine, runs));
      await removeMany(engine, ids);
    }
    const [before, after] = [alone.get("cais"), crowded.get("cais")];
    const value = before === undefined || after === undefined ? undefined : after / before;
    return [
      { what: "API life with 0 running", unit: "ms", values: alone, targets: [] },
      {
        what: `API life with ${CROWD} running`,
        unit: "ms",
        values: crowded,
        targets: [{ name: `${CROWD}/0`, value, limit: 1.3, sense: "at most" }],
      },
    ];
  },
};

async function latency(engine: Docker, runs: number): Promise<number> {
  const found = await medians([{ name: "it", once: () => milliseconds(() => cycle(engine)) }], runs);
  return found.get("it") ?? Number.NaN;
}
