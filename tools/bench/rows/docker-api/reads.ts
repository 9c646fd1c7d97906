import { removeMany } from "../../api.ts";
import { readAll } from "../../connections.ts";
import { IMAGE } from "../../peers.ts";
import { type Bench, type Line, within } from "../../row.ts";
import { medians, milliseconds } from "../../sample.ts";
import type { Engine } from "./engine.ts";

/** Lists and inspection among many containers. */
export async function reads(engines: readonly Engine[], { runs, quick }: Bench): Promise<Line[]> {
  const count = quick ? 50 : 1000;
  const made = new Map<Engine, string[]>();
  for (const engine of engines) {
    const ids: string[] = [];
    for (let each = 0; each < count; each++) ids.push(await engine.api.create(IMAGE, ["/bin/true"]));
    made.set(engine, ids);
  }
  const ask = (path: (engine: Engine) => string) =>
    medians(
      engines.map((engine) => ({
        name: engine.name,
        once: () => milliseconds(async () => void (await readAll(engine.socket, `GET ${path(engine)}`))),
      })),
      runs,
    );
  const list = await ask(() => "/containers/json?all=1");
  const inspect = await ask((engine) => `/containers/${made.get(engine)?.[count >> 1]}/json`);
  for (const [engine, ids] of made) await removeMany(engine.api, ids);
  return [
    { what: `list ${count} containers`, unit: "ms", values: list, targets: [within(list, "docker", 1)] },
    { what: `inspect one of ${count}`, unit: "ms", values: inspect, targets: [within(inspect, "docker", 1)] },
  ];
}
