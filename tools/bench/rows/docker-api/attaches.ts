import type { Socket } from "node:net";
import { removeMany, startMany } from "../../api.ts";
import { closeAll, endsOf, openAll } from "../../connections.ts";
import { IMAGE } from "../../peers.ts";
import type { Bench, Line } from "../../row.ts";
import { milliseconds, rounds } from "../../sample.ts";
import { meter, timeLines } from "./cost.ts";
import type { Engine } from "./engine.ts";

const attachTo = (id: string): string => `POST /containers/${id}/attach?stream=1&stdout=1&stderr=1`;

/** Many attached at once, to one container and to many, and what they all hear. */
export async function attaches(engines: readonly Engine[], { quick }: Bench): Promise<Line[]> {
  const [clients, containers, lines] = quick ? [50, 5, 20] : [1000, 100, 100];
  const turns = quick ? 3 : 5;
  const running = new Map<Engine, readonly string[]>();
  for (const engine of engines) running.set(engine, (await startMany(engine.api, IMAGE, containers, 4)).ids);
  const attachAll = async (of: number, what: string): Promise<Line[]> => {
    const cost = meter(turns);
    const took = await rounds(engines, turns, async (engine) => {
      const ids = (running.get(engine) ?? []).slice(0, of);
      const open: Socket[] = [];
      const attach = async (): Promise<void> => {
        for (const id of ids)
          open.push(...(await openAll(engine.socket, attachTo(id), clients / ids.length)));
      };
      const each = await cost.run(engine, () => milliseconds(attach));
      await closeAll(open);
      return each;
    });
    return timeLines(what, took, cost.values);
  };
  const one = await attachAll(1, `${clients} attaches to one container`);
  const many = await attachAll(containers, `${clients} attaches to ${containers} containers`);
  for (const [{ api }, ids] of running) await removeMany(api, ids);

  // A line each two milliseconds: nobody's loop puts them together.
  const script = `i=0; while [ $i -lt ${lines} ]; do echo 0123456789012345678901234567890123456789; usleep 2000; i=$((i+1)); done`;
  const cost = meter(turns);
  const heard = await rounds(engines, turns, async (engine) => {
    const { api, socket } = engine;
    const id = await api.create(IMAGE, ["/bin/sh", "-c", script]);
    const open = await openAll(socket, attachTo(id), clients);
    const ended = endsOf(open);
    const live = async (): Promise<void> => {
      await api.start(id);
      await ended;
    };
    const took = await cost.run(engine, () => milliseconds(live));
    await api.remove(id);
    return took;
  });
  return [
    ...one,
    ...many,
    ...timeLines(`start, ${lines} lines to ${clients} attached, end`, heard, cost.values),
  ];
}
