import { closeAll, hearAll, openAll, readAll } from "../../connections.ts";
import { IMAGE } from "../../peers.ts";
import { type Bench, type Line, within } from "../../row.ts";
import { milliseconds, rounds } from "../../sample.ts";
import type { Engine } from "./engine.ts";

/** Many that follow what happens, until all of them have heard everything. */
export async function events(engines: readonly Engine[], { quick }: Bench): Promise<Line[]> {
  const [followers, count] = quick ? [50, 20] : [500, 100];
  const values = await rounds(engines, 3, async ({ api, socket }, round) => {
    const told = await api.create(IMAGE, ["/bin/true"]);
    const listening = await openAll(socket, "GET /events", followers);
    const heard = hearAll(listening, '"rename"', count);
    const took = await milliseconds(async () => {
      for (let each = 0; each < count; each++)
        await readAll(socket, `POST /containers/${told}/rename?name=bench-${round}-${each}`);
      await heard;
    });
    await closeAll(listening);
    await api.remove(told);
    return took;
  });
  return [
    {
      what: `${count} events to ${followers} followers`,
      unit: "ms",
      values,
      targets: [within(values, "docker", 1)],
    },
  ];
}
