import { parseTime } from "../../container/time.ts";
import type { Engine } from "../../engine/engine.ts";
import { type EngineEvent, EVENT_FILTERS, eventMatches, eventText } from "../../engine/events.ts";
import { invalid, unsupported } from "../../engine/refuse.ts";
import { diskUsage, info, version } from "../../engine/system.ts";
import { API_VERSION } from "../../wire/version.ts";
import { replyJson } from "../failure.ts";
import type { Exchange } from "../http/exchange.ts";
import { filters } from "../request.ts";
import { get, head, post, type Route } from "../route.ts";

/** No BuildKit here: `docker build` then uses the classic builder by itself. */
const PING = {
  "Builder-Version": "1",
  Swarm: "inactive",
  "Cache-Control": "no-cache, no-store, must-revalidate",
  Pragma: "no-cache",
};

/** The engine as a whole. */
export const system: readonly Route[] = [
  get("/_ping", (_, exchange) => exchange.reply(200, "OK", "text/plain; charset=utf-8", PING)),
  head("/_ping", (_, exchange) => exchange.reply(200, "", "text/plain; charset=utf-8", PING)),
  get("/version", (_, exchange) => replyJson(exchange, version())),
  get("/info", (engine, exchange) => replyJson(exchange, info(engine))),
  get("/system/df", async (engine, exchange) => replyJson(exchange, await diskUsage(engine))),
  get("/events", (engine, exchange) => sendEvents(engine, exchange)),
  post("/auth", () => {
    throw unsupported("registries are not supported by this version of cais");
  }),
];

async function sendEvents(engine: Engine, exchange: Exchange): Promise<void> {
  const wanted = filters(exchange, EVENT_FILTERS);
  const since = timeOf(exchange, "since");
  const until = timeOf(exchange, "until");
  const stream = exchange.begin(200, "application/json");
  const passes = (event: EngineEvent): boolean =>
    eventMatches(event, wanted) && (until === null || event.time <= until);

  // Events that a slow follower has not read yet. It is dropped when it is too slow: events cannot wait.
  let waiting: Promise<void> | undefined;
  let queue: string[] = [];
  const flush = (): void => {
    while (queue.length > 0 && !waiting) {
      const text = queue.join("");
      queue = [];
      waiting = stream.write(text);
      void waiting?.then(() => {
        waiting = undefined;
        flush();
      });
    }
  };
  const send = (event: EngineEvent): void => {
    if (!passes(event)) return;
    if (queue.length >= 4096) end();
    queue.push(eventText(event));
    flush();
  };
  let timer: NodeJS.Timeout | undefined;
  const unsubscribe = engine.events.subscribe(send);
  const end = (): void => {
    unsubscribe();
    clearTimeout(timer);
    stream.end();
  };
  if (since !== null) for (const event of engine.events.past(since)) send(event);
  exchange.onClose(end);
  if (until === null) return;
  const left = Number(until / 1_000_000n) - Date.now();
  if (left <= 0) end();
  else timer = setTimeout(end, Math.min(left, 2 ** 31 - 1));
}

function timeOf(exchange: Exchange, name: string): bigint | null {
  const text = exchange.query.get(name);
  if (text === null || text === "") return null;
  const at = parseTime(text);
  if (at === null) throw invalid(`invalid value for ${name}: '${text.slice(0, 40)}'`);
  return at;
}

export const API_HEADER = `Api-Version: ${API_VERSION}\r\nDocker-Experimental: false\r\nOstype: linux\r\n`;
