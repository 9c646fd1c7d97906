import { parseTime } from "../../container/time.ts";
import type { Engine } from "../../engine/engine.ts";
import { type EngineEvent, eventMatches, eventText } from "../../engine/events.ts";
import { invalid, notANumber, unsupported } from "../../engine/refuse.ts";
import { diskUsage, info, USAGE_TYPES, type UsageType, version } from "../../engine/system.ts";
import { madeOnce } from "../../oci/once.ts";
import { API_VERSION } from "../../wire/version.ts";
import { replyJson } from "../failure.ts";
import { followedBy } from "../follower.ts";
import { pieceOf } from "../http/chunk.ts";
import type { Exchange } from "../http/exchange.ts";
import { imageSummaryFor, infoFor } from "../older.ts";
import { filters, jsonBody } from "../request.ts";
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
  get("/info", async (engine, exchange, _, minor) =>
    replyJson(exchange, infoFor(info(engine, await engine.firewall.obstacles()), minor)),
  ),
  get("/system/df", async (engine, exchange, _, minor) => {
    const usage = await diskUsage(engine, usageTypes(exchange, minor));
    const images = usage.Images?.map((image) => imageSummaryFor(image, minor)) ?? null;
    replyJson(exchange, { ...usage, Images: images });
  }),
  get("/events", (engine, exchange) => sendEvents(engine, exchange)),
  post("/auth", async (_, exchange) => {
    await jsonBody(exchange);
    throw unsupported("registries are not supported by this version of cais");
  }),
];

/** Before API 1.42 nobody could choose. */
function usageTypes(exchange: Exchange, minor: number): ReadonlySet<UsageType> {
  const asked = exchange.query.getAll("type");
  if (minor < 42 || asked.length === 0) return new Set(USAGE_TYPES);
  const unknown = asked.find((type) => !(USAGE_TYPES as readonly string[]).includes(type));
  if (unknown !== undefined) throw invalid(`unknown object type: ${unknown.slice(0, 80)}`);
  return new Set(asked as UsageType[]);
}

/** The event as it is sent. */
const pieceFor = madeOnce((event: EngineEvent) => pieceOf(eventText(event)));

async function sendEvents(engine: Engine, exchange: Exchange): Promise<void> {
  const wanted = filters(exchange);
  const since = timeOf(exchange, "since");
  const until = timeOf(exchange, "until");
  if (since !== null && until !== null && since > until) {
    const [from, to] = ["since", "until"].map((name) => exchange.query.get(name));
    throw invalid(`\`since\` time (${from}) cannot be after \`until\` time (${to})`);
  }
  const stream = exchange.begin(200, "application/json");
  const passes = (event: EngineEvent): boolean =>
    eventMatches(event, wanted) && (until === null || event.time <= until);
  // Events cannot wait: who is too slow for them is let go.
  const follow = followedBy(stream, 4096, () => end());
  const send = (event: EngineEvent): void => {
    if (passes(event)) follow(pieceFor(event));
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
  if (at === null) throw notANumber("ParseInt", text);
  return at;
}

export const API_HEADER = `Api-Version: ${API_VERSION}\r\nDocker-Experimental: false\r\nOstype: linux\r\n`;
