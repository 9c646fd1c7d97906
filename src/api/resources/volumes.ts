import { volumeRequest } from "../../engine/requests.ts";
import { createVolume, pruneVolumes, removeVolume } from "../../engine/volumes.ts";
import { replyJson } from "../failure.ts";
import { filters, flag, jsonBody } from "../request.ts";
import { del, get, parameter, post, type Route } from "../route.ts";

/** Named volumes. */
export const volumes: readonly Route[] = [
  get("/volumes", (engine, exchange) => {
    const asked = filters(exchange, ["dangling", "driver", "label", "name"]);
    replyJson(exchange, { Volumes: engine.volumes.list(asked), Warnings: null });
  }),
  post("/volumes/create", async (engine, exchange) => {
    replyJson(exchange, createVolume(engine, volumeRequest(await jsonBody(exchange))), 201);
  }),
  post("/volumes/prune", async (engine, exchange, _, minor) => {
    const asked = filters(exchange, ["all", "label", "label!"]);
    // Before 1.42 prune meant all volumes.
    replyJson(exchange, await pruneVolumes(engine, minor < 42 ? { ...asked, all: ["true"] } : asked));
  }),
  get("/volumes/{name}", (engine, exchange, parameters) =>
    replyJson(exchange, engine.volumes.get(parameter(parameters, "name"))),
  ),
  del("/volumes/{name}", async (engine, exchange, parameters) => {
    await removeVolume(engine, parameter(parameters, "name"), flag(exchange, "force"));
    exchange.reply(204);
  }),
];
