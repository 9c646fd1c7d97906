import { invalid } from "../../engine/refuse.ts";
import { volumeRequest } from "../../engine/requests.ts";
import { createVolume, pruneVolumes, removeVolume } from "../../engine/volumes.ts";
import { Refusal } from "../../oci/error.ts";
import { replyJson } from "../failure.ts";
import type { Exchange } from "../http/exchange.ts";
import { type Filters, filters, flag, jsonBody } from "../request.ts";
import { del, get, parameter, post, put, type Route } from "../route.ts";

/** Named volumes. */
export const volumes: readonly Route[] = [
  get("/volumes", (engine, exchange) => {
    const asked = volumeFilters(exchange);
    replyJson(exchange, { Volumes: engine.volumes.list(asked), Warnings: null });
  }),
  post("/volumes/create", async (engine, exchange) => {
    replyJson(exchange, createVolume(engine, volumeRequest(await jsonBody(exchange))), 201);
  }),
  post("/volumes/prune", async (engine, exchange, _, minor) => {
    const asked = filters(exchange, ["all", "label", "label!"]);
    const wrong = asked.all?.find((value) => !BOOLEAN.test(value));
    if (wrong !== undefined) {
      throw invalid(
        `invalid filter 'all': strconv.ParseBool: parsing ${JSON.stringify(wrong)}: invalid syntax`,
      );
    }
    // Before 1.42 prune meant all volumes.
    replyJson(exchange, await pruneVolumes(engine, minor < 42 ? { ...asked, all: ["true"] } : asked));
  }),
  get("/volumes/{name...}", (engine, exchange, parameters) =>
    replyJson(exchange, engine.volumes.get(parameter(parameters, "name"))),
  ),
  put("/volumes/{name...}", () => {
    throw new Refusal(
      "unavailable",
      "volume update only valid for cluster volumes, but swarm is unavailable",
    );
  }),
  del("/volumes/{name...}", async (engine, exchange, parameters) => {
    await removeVolume(engine, parameter(parameters, "name"), flag(exchange, "force"));
    exchange.reply(204);
  }),
];

/** As Go reads booleans. */
const BOOLEAN = /^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/;

function volumeFilters(exchange: Exchange): Filters {
  let asked: Filters;
  try {
    asked = filters(exchange);
  } catch (error) {
    throw invalid(`error reading volume filters: ${(error as Error).message}`);
  }
  const unknown = Object.keys(asked).find((name) => !["dangling", "driver", "label", "name"].includes(name));
  if (unknown !== undefined) throw invalid(`invalid filter '${unknown.slice(0, 80)}'`);
  const dangling = asked.dangling ?? [];
  if (!dangling.every((value) => BOOLEAN.test(value)))
    throw invalid(`invalid filter 'dangling=[${dangling.join(" ")}]'`);
  return asked;
}
