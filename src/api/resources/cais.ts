import { explainCreate, traceOf } from "../../engine/containers/explain.ts";
import { networkPath } from "../../engine/networks/path.ts";
import { reach } from "../../engine/networks/reach.ts";
import { invalid } from "../../engine/refuse.ts";
import { createRequest } from "../../engine/requests.ts";
import { replyJson } from "../failure.ts";
import { neededJsonBody } from "../request.ts";
import { get, parameter, post, type Route } from "../route.ts";

const TYPES = {
  explain: "text/plain; charset=utf-8",
  script: "text/x-shellscript",
  json: "application/json",
};

/** What Docker has not: the plan of a container before it exists, and what each step of a start took. */
export const cais: readonly Route[] = [
  post("/cais/plan", async (engine, exchange) => {
    const form = exchange.query.get("form") ?? "explain";
    if (form !== "explain" && form !== "script" && form !== "json") {
      throw invalid(`unknown form '${form.slice(0, 40)}': use explain, script or json`);
    }
    const request = createRequest(await neededJsonBody(exchange));
    const name = exchange.query.get("name") ?? "";
    exchange.reply(200, await explainCreate(engine, name, request, form), TYPES[form]);
  }),
  get("/cais/containers/{id}/reach", async (engine, exchange, parameters) => {
    const port = exchange.query.get("port") ?? "";
    replyJson(exchange, await reach(engine, parameter(parameters, "id"), port));
  }),
  get("/cais/networks/{id}/path", async (engine, exchange, parameters) => {
    replyJson(exchange, await networkPath(engine, engine.networks.find(parameter(parameters, "id"))));
  }),
  get("/cais/containers/{id}/trace", async (engine, exchange, parameters) => {
    replyJson(exchange, await traceOf(engine, parameter(parameters, "id")));
  }),
];
