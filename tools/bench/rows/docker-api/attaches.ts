import type { Socket } from "node:net";
import { removeMany, startMany } from "../../api.ts";
import { closeAll, endsOf, openAll } from "../../connections.ts";
import { IMAGE } from "../../peers.ts";
import { type Bench, type Line, within } from "../../row.ts";
import { milliseconds, rounds } from "../../sample.ts";
import type { Engine } from "./engine.ts";

const attachTo = (id: string): string => `POST /containers/${id}/attach?stream=1&stdout=1&stderr=1`;

/** Many attached at once, to one container and to many, and what they all hear. */
export async function attaches(engines: readonly Engine[], { quick }: Bench): Promise<Line[]> {
  const [clients, containers, lines] = quick ? [50, 5, 20] : [1000, 100, 100];
  const turns = quick ? 3 : 5;
  const running = new Map<Engine, readonly string[]>();
  for (const engine of engines) running.set(engine, (await startMany(engine.api, IMAGE, containers, 4)).ids);
  const attachAll = (of: number) =>
    rounds(engines, turns, async (engine) => {
      const ids = (running.get(engine) ?? []).slice(0, of);
      const open: Socket[] = [];
      const took = await milliseconds(async () => {
        for (const id of ids)
          open.push(...(await openAll(engine.socket, attachTo(id), clients / ids.length)));
      });
      await closeAll(open);
      return took;
    });
  const one = await attachAll(1);
  const many = await attachAll(containers);
  for (const [{ api }, ids] of running) await removeMany(api, ids);

  // A line each two milliseconds: nobody's loop puts them together.
  const script = `i=0; while [ $i -lt ${lines} ]; do echo 0123456789012345678901234567890123456789; usleep 2000; i=$((i+1)); done`;
  const heard = await rounds(engines, turns, async ({ api, socket }) => {
    const id = await api.create(IMAGE, ["/bin/sh", "-c", script]);
    const open = await openAll(socket, attachTo(id), clients);
    const ended = endsOf(open);
    const took = await milliseconds(async () => {
      await api.start(id);
      await ended;
    });
    await api.remove(id);
    return took;
  });
  const line = (what: string, values: Map<string, number>): Line => ({
    what,
    unit: "ms",
    values,
    targets: [within(values, "docker", 1)],
  });
  return [
    line(`${clients} attaches to one container`, one),
    line(`${clients} attaches to ${containers} containers`, many),
    line(`start, ${lines} lines to ${clients} attached, end`, heard),
  ];
}
