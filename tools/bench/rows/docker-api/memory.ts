import { readAll } from "../../connections.ts";
import { rest } from "../../memory.ts";
import { IMAGE } from "../../peers.ts";
import { type Bench, type Line, within } from "../../row.ts";
import type { Engine } from "./engine.ts";

/** Memory when nothing is asked. */
export async function idle(engines: readonly Engine[]): Promise<Line[]> {
  await rest();
  return [lineOf("engine's memory, idle", engines)];
}

/** Memory after very many requests: at once, and when there was time to clean up. */
export async function used(engines: readonly Engine[], { quick }: Bench): Promise<Line[]> {
  const requests = quick ? 200 : 10_000;
  const at = new Map<string, number>();
  for (const { name, api, socket, memory } of engines) {
    const id = await api.create(IMAGE, ["/bin/true"]);
    for (let each = 0; each < requests; each++) await api.inspect(id);
    at.set(name, memory());
    await api.remove(id);
    await readAll(socket, "GET /_ping");
  }
  await rest();
  const what = `engine's memory after ${requests} requests`;
  return [lineOf(what, engines, at), lineOf("  and a rest", engines)];
}

function lineOf(
  what: string,
  engines: readonly Engine[],
  values = new Map(engines.map(({ name, memory }) => [name as string, memory()])),
): Line {
  return { what, unit: "KiB", values, targets: [within(values, "docker", 0.5)] };
}
