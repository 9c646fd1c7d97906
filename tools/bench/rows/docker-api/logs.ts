import { IMAGE } from "../../peers.ts";
import { type Bench, type Line, within } from "../../row.ts";
import { milliseconds, rounds } from "../../sample.ts";
import type { Engine } from "./engine.ts";

/** As cais has it by default, so that both write the same to the disk. */
const LOG = { LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } } };
/** How much an engine may grow that is said not to. */
const FLAT_KIB = 16 * 1024;

/** A container that writes as fast as it can, until everything is in the log; and the engine's memory meanwhile. */
export async function logs(engines: readonly Engine[], { quick }: Bench): Promise<Line[]> {
  const grown = new Map<string, number>();
  const pour = (line: string, mebibytes: number) =>
    rounds(engines, 3, async ({ api, memory, name }) => {
      const script = `yes ${line} | head -c ${mebibytes}m`;
      const id = await api.create(IMAGE, ["/bin/sh", "-c", script], LOG);
      const before = memory();
      const sample = (): void => void grown.set(name, Math.max(grown.get(name) ?? 0, memory() - before));
      const timer = setInterval(sample, 20);
      const took = await milliseconds(async () => {
        await api.start(id);
        await api.wait(id);
      });
      clearInterval(timer);
      sample();
      await api.remove(id);
      return mebibytes / (took / 1000);
    });
  const lineOf = (what: string, values: Map<string, number>): Line => ({
    what,
    unit: "per s",
    values,
    targets: [{ ...within(values, "docker", 1.5), sense: "at least" }],
  });
  const long = quick ? 8 : 96;
  const short = quick ? 1 : 4;
  return [
    lineOf(
      `MiB through the log, of ${long}, lines of 64 bytes`,
      await pour(`${"0123456789".repeat(6)}012`, long),
    ),
    lineOf(`MiB through the log, of ${short}, lines of 2 bytes`, await pour("y", short)),
    {
      what: "  growth of the engine meanwhile",
      unit: "KiB",
      values: grown,
      targets: [{ name: "cais", value: grown.get("cais"), limit: FLAT_KIB, sense: "at most" }],
    },
  ];
}
