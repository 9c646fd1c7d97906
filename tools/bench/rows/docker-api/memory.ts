import { setTimeout } from "node:timers/promises";
import { readAll } from "../../connections.ts";
import { IMAGE } from "../../peers.ts";
import { type Bench, type Line, within } from "../../row.ts";
import type { Engine } from "./engine.ts";

/** Engines clean up when there is time to. */
const REST_MS = 12_000;

/** Memory when nothing is asked. */
export async function idle(engines: readonly Engine[]): Promise<Line[]> {
  await setTimeout(REST_MS);
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
  await setTimeout(REST_MS);
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
