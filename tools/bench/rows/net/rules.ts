import { spawnSync } from "node:child_process";
import { IMAGE } from "../../peers.ts";
import type { Line, Row } from "../../row.ts";
import { median, milliseconds } from "../../sample.ts";
import { netHosts } from "./hosts.ts";

const NFT = ["nft", "list", "table", "inet", "cais"];

/** From a killed engine to one that has adopted its containers and rebuilt every rule, with ports and without. */
export const rules: Row = {
  name: "net-rules",
  measure: async (bench) => {
    await using hosts = await netHosts(bench);
    const { cais, engine } = hosts;
    if (!cais || !engine) return [];
    const count = bench.quick ? 20 : 200;
    const restarted = async (): Promise<number> => {
      const samples: number[] = [];
      for (let round = 0; round < (bench.quick ? 2 : 10); round++) {
        await engine.kill();
        spawnSync("nsenter", [...cais.enter, "nft", "delete", "table", "inet", "cais"]);
        samples.push(await milliseconds(() => engine.start()));
      }
      return median(samples);
    };
    const lines: Line[] = [];
    const line = (what: string, value: number): void =>
      void lines.push({ what, unit: "ms", values: new Map([["cais", value]]), targets: [] });
    line("engine restart, nothing running", await restarted());
    for (const published of [false, true]) {
      for (let number = 0; number < count; number++) {
        const ports = published ? ["-p", `${20000 + number}:80`] : [];
        cais.cli("run", "-d", "--name", `c${number}`, ...ports, IMAGE, "/bin/sleep", "1000000");
      }
      const ports = published ? `, ${count} published ports` : "";
      line(`engine restart, ${count} containers${ports}, all rules`, await restarted());
      const table = spawnSync("nsenter", [...cais.enter, ...NFT], { encoding: "utf8" }).stdout;
      if (published && table.split("dnat").length - 1 < count)
        throw new Error("Not all rules are there again");
      cais.cli("rm", "-f", ...Array.from({ length: count }, (_, number) => `c${number}`));
    }
    return lines;
  },
};
