import { IMAGE } from "../../peers.ts";
import { type Bench, faster, type Line } from "../../row.ts";
import { median, medians, milliseconds } from "../../sample.ts";
import { cycle } from "../api.ts";
import type { Engine } from "./engine.ts";

/** Each request of a container's life, and all of them. */
export async function lives(engines: readonly Engine[], { runs }: Bench): Promise<Line[]> {
  const whole = await medians(
    engines.map(({ name, api }) => ({ name, once: () => milliseconds(() => cycle(api)) })),
    runs,
  );
  const parts = {
    create: new Map<string, number[]>(),
    start: new Map<string, number[]>(),
    remove: new Map<string, number[]>(),
  };
  for (let run = 0; run < runs; run++) {
    for (const { name, api } of engines) {
      let id = "";
      const note = async (part: keyof typeof parts, work: () => Promise<void>): Promise<void> => {
        const times = parts[part].get(name) ?? [];
        times.push(await milliseconds(work));
        parts[part].set(name, times);
      };
      await note("create", async () => {
        id = await api.create(IMAGE, ["/bin/true"]);
      });
      await note("start", () => api.start(id));
      await api.wait(id);
      await note("remove", () => api.remove(id));
    }
  }
  return [
    {
      what: "create, start, wait, remove",
      unit: "ms",
      values: whole,
      targets: [faster(whole, "docker", 20)],
    },
    ...Object.entries(parts).map(
      ([what, times]): Line => ({
        what: `  ${what}`,
        unit: "ms",
        values: new Map([...times].map(([name, each]) => [name, median(each)])),
        targets: [],
      }),
    ),
  ];
}
