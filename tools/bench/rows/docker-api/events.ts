import { closeAll, hearAll, openAll, readAll } from "../../connections.ts";
import { IMAGE } from "../../peers.ts";
import type { Bench, Line } from "../../row.ts";
import { milliseconds, rounds } from "../../sample.ts";
import { meter, timeLines } from "./cost.ts";
import type { Engine } from "./engine.ts";

/** Many that follow what happens, until all of them have heard everything. */
export async function events(engines: readonly Engine[], { quick }: Bench): Promise<Line[]> {
  const [followers, count] = quick ? [50, 20] : [500, 100];
  const turns = 3;
  const cost = meter(turns);
  const values = await rounds(engines, turns, async (engine, round) => {
    const { api, socket } = engine;
    const told = await api.create(IMAGE, ["/bin/true"]);
    const listening = await openAll(socket, "GET /events", followers);
    const heard = hearAll(listening, '"rename"', count);
    const tell = async (): Promise<void> => {
      for (let each = 0; each < count; each++)
        await readAll(socket, `POST /containers/${told}/rename?name=bench-${round}-${each}`);
      await heard;
    };
    const took = await cost.run(engine, () => milliseconds(tell));
    await closeAll(listening);
    await api.remove(told);
    return took;
  });
  return timeLines(`${count} events to ${followers} followers`, values, cost.values);
}
