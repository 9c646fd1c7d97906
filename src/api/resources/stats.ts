import { find } from "../../engine/containers/find.ts";
import { stats as sampleOf } from "../../engine/containers/stats.ts";
import type { Stats } from "../../wire/stats.ts";
import { replyJson } from "../failure.ts";
import { flag } from "../request.ts";
import { get, parameter, type Route } from "../route.ts";

/** Docker's: a sample each second. */
const INTERVAL = 1000;

/** What containers use. */
export const stats: readonly Route[] = [
  get("/containers/{id...}/stats", async (engine, exchange, parameters) => {
    const container = find(engine, parameter(parameters, "id"));
    const once = exchange.query.has("stream") && !flag(exchange, "stream");
    if (once && flag(exchange, "one-shot")) return replyJson(exchange, sampleOf(engine, container, null));
    let before: Stats | null = container.running ? sampleOf(engine, container, null) : null;
    if (once) {
      if (before) await second(exchange.gone);
      return replyJson(exchange, sampleOf(engine, container, before));
    }
    const stream = exchange.begin(200, "application/json");
    // A sampling interval is the meaning of this endpoint; nothing runs when nobody asks.
    while (!exchange.gone.aborted && engine.containers.has(container.record.id)) {
      const now = sampleOf(engine, container, before);
      const wait = stream.write(`${JSON.stringify(now)}\n`);
      if (wait) await wait;
      before = now;
      await second(exchange.gone);
    }
    stream.end();
  }),
];

function second(gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      gone.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, INTERVAL);
    gone.addEventListener("abort", done);
  });
}
