import { buildFrom } from "../../engine/images/build.ts";
import { invalid, unsupported } from "../../engine/refuse.ts";
import { replyJson } from "../failure.ts";
import type { Exchange } from "../http/exchange.ts";
import { filters } from "../request.ts";
import { post, type Route } from "../route.ts";
import { progress } from "./images.ts";

/** Building images, as the classic builder does. */
export const build: readonly Route[] = [
  post("/build", async (engine, exchange) => {
    const { query } = exchange;
    if (query.get("version") === "2")
      throw unsupported("BuildKit is not supported: build with DOCKER_BUILDKIT=0");
    if (query.get("remote")) throw unsupported("Cannot build from an address: send the context as the body");
    const dockerfile = query.get("dockerfile");
    const target = query.get("target");
    const quiet = query.get("q") === "1" || query.get("q") === "true";
    await progress(exchange, async (send) => {
      const id = await buildFrom(engine, exchange.body.stream(), {
        tags: query.getAll("t").filter((tag) => tag !== ""),
        args: texts(exchange, "buildargs"),
        labels: texts(exchange, "labels"),
        ...(dockerfile ? { dockerfile } : {}),
        ...(target ? { target } : {}),
        ...(quiet ? {} : { progress: send }),
      });
      if (quiet) send({ stream: `${id}\n` });
    });
  }),
  post("/build/prune", (engine, exchange) => {
    const known = [
      "until",
      "id",
      "parent",
      "type",
      "description",
      "inuse",
      "shared",
      "private",
      "mutable",
      "immutable",
    ];
    const unknown = Object.keys(filters(exchange)).find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw invalid(`failed to prune build cache: invalid filter '${unknown.slice(0, 80)}'`);
    engine.events.emit("builder", "prune", "", { reclaimed: "0" });
    replyJson(exchange, { CachesDeleted: null, SpaceReclaimed: 0 });
  }),
];

/** A parameter that is JSON of name → text; names without a value are left out. */
function texts(exchange: Exchange, name: string): Record<string, string> {
  const text = exchange.query.get(name);
  if (!text) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("not an object");
    return Object.fromEntries(Object.entries(value).filter(([, one]) => typeof one === "string"));
  } catch {
    throw invalid(`invalid value for ${name}: it is not a JSON object of texts`);
  }
}
