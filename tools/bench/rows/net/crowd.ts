import { removeMany } from "../../api.ts";
import { IMAGE } from "../../peers.ts";
import type { Row } from "../../row.ts";
import { median, milliseconds } from "../../sample.ts";
import { netHosts } from "./hosts.ts";

/** What a start takes while a network fills up with 500 containers. Docker takes minutes for it: it is left out. */
export const crowd: Row = {
  name: "net-crowd",
  measure: async (bench) => {
    await using hosts = await netHosts(bench);
    const { cais } = hosts;
    if (!cais) return [];
    const count = bench.quick ? 40 : 500;
    cais.cli("network", "create", "crowd");
    const ids: string[] = [];
    const took: number[] = [];
    for (let number = 0; number < count; number++) {
      const id = await cais.api.create(IMAGE, ["/bin/sleep", "1000000"], { NetworkMode: "crowd" });
      took.push(await milliseconds(() => cais.api.start(id)));
      ids.push(id);
    }
    await removeMany(cais.api, ids);
    cais.cli("network", "rm", "crowd");
    // One start is at the mercy of whatever else happens: the median of the first and of the last twenty.
    const [first, last] = [median(took.slice(0, 20)), median(took.slice(-20))];
    return [
      { what: "API start, first on a network", unit: "ms", values: new Map([["cais", first]]), targets: [] },
      {
        what: `API start, ${count}th on that network`,
        unit: "ms",
        values: new Map([["cais", last]]),
        targets: [{ name: `${count}th/first`, value: last / first, limit: 1.3, sense: "at most" }],
      },
    ];
  },
};
