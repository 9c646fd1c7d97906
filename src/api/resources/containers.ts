import { parseTime } from "../../container/time.ts";
import { create, MAC_DEPRECATED } from "../../engine/containers/create.ts";
import { find } from "../../engine/containers/find.ts";
import { pause, unpause } from "../../engine/containers/freeze.ts";
import { inspect } from "../../engine/containers/inspect.ts";
import { kill } from "../../engine/containers/kill.ts";
import { LIST_FILTERS, list } from "../../engine/containers/list.ts";
import { prune, rename, resize, top } from "../../engine/containers/others.ts";
import { remove } from "../../engine/containers/remove.ts";
import { start } from "../../engine/containers/start.ts";
import { restart, type StopOptions, stop } from "../../engine/containers/stop.ts";
import { update } from "../../engine/containers/update.ts";
import { checkPlatform } from "../../engine/images/platform.ts";
import { unlink } from "../../engine/networks/linked.ts";
import { invalid } from "../../engine/refuse.ts";
import { createRequest, updateRequest } from "../../engine/requests.ts";
import type { Refusal } from "../../oci/error.ts";
import { replyJson } from "../failure.ts";
import type { Exchange } from "../http/exchange.ts";
import { containerFor, summaryFor } from "../older.ts";
import { createFor } from "../older-create.ts";
import { filters, flag, integer, jsonBody, neededJsonBody } from "../request.ts";
import { del, get, parameter, post, type Route } from "../route.ts";

const stopOptions = (exchange: Exchange, as: string): StopOptions => {
  const timeout = integer(exchange, "t");
  const signal = exchange.query.get("signal");
  return { as, ...(timeout === undefined ? {} : { timeout }), ...(signal ? { signal } : {}) };
};

/** Containers as objects: made, listed, started, stopped, removed. */
export const containers: readonly Route[] = [
  get("/containers/json", async (engine, exchange, _, minor) => {
    const limit = integer(exchange, "limit") ?? 0;
    const options = {
      all: flag(exchange, "all"),
      limit,
      size: flag(exchange, "size"),
      filters: filters(exchange, LIST_FILTERS),
    };
    const found = await list(engine, options);
    replyJson(
      exchange,
      found.map((container) => summaryFor(container, minor)),
    );
  }),
  post("/containers/create", async (engine, exchange, _, minor) => {
    const request = createFor(createRequest(await neededJsonBody(exchange)), minor);
    checkPlatform(engine, exchange.query.get("platform") ?? "", request.Image ?? "");
    const name = (exchange.query.get("name") ?? "").replace(/^\//, "");
    const { container, warnings } = await create(engine, name, request, { flatReadonly: minor < 44 });
    // It was not deprecated then.
    const Warnings = minor < 44 ? warnings.filter((one) => one !== MAC_DEPRECATED) : warnings;
    replyJson(exchange, { Id: container.record.id, Warnings }, 201);
  }),
  post("/containers/prune", async (engine, exchange) => {
    const asked = filters(exchange, ["label", "label!", "until"]);
    replyJson(exchange, await prune(engine, asked, untilOf(asked.until)));
  }),
  get("/containers/{id...}/json", async (engine, exchange, parameters, minor) => {
    const container = find(engine, parameter(parameters, "id"));
    const inspection = await inspect(engine, container, { size: flag(exchange, "size") });
    replyJson(exchange, containerFor(inspection, minor));
  }),
  post("/containers/{id...}/start", async (engine, exchange, parameters) => {
    const trace = flag(exchange, "trace");
    // Two bytes are `{}`, which some clients send.
    if (exchange.body.length !== "chunked" && exchange.body.length > 2) {
      throw invalid(
        "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24",
      );
    }
    const started = await start(engine, find(engine, parameter(parameters, "id")), { trace });
    exchange.reply(started ? 204 : 304);
  }),
  post("/containers/{id...}/stop", async (engine, exchange, parameters) => {
    const id = parameter(parameters, "id");
    const stopped = await stop(engine, find(engine, id), stopOptions(exchange, id));
    exchange.reply(stopped ? 204 : 304);
  }),
  post("/containers/{id...}/restart", async (engine, exchange, parameters) => {
    const id = parameter(parameters, "id");
    await restart(engine, find(engine, id), stopOptions(exchange, id));
    exchange.reply(204);
  }),
  post("/containers/{id...}/kill", async (engine, exchange, parameters) => {
    const id = parameter(parameters, "id");
    const container = find(engine, id, "cannot kill container: ");
    await kill(engine, container, exchange.query.get("signal") ?? "", id);
    exchange.reply(204);
  }),
  post("/containers/{id...}/pause", async (engine, exchange, parameters) => {
    await pause(engine, find(engine, parameter(parameters, "id")));
    exchange.reply(204);
  }),
  post("/containers/{id...}/unpause", async (engine, exchange, parameters) => {
    await unpause(engine, find(engine, parameter(parameters, "id")));
    exchange.reply(204);
  }),
  post("/containers/{id...}/rename", async (engine, exchange, parameters) => {
    const container = find(engine, parameter(parameters, "id"));
    await rename(engine, container, exchange.query.get("name") ?? "");
    exchange.reply(204);
  }),
  post("/containers/{id...}/update", async (engine, exchange, parameters, minor) => {
    // What is wrong with the body is said first, here and wherever there is one.
    const limits = updateRequest(await jsonBody(exchange));
    const container = find(engine, parameter(parameters, "id"));
    // A limit of processes could not be changed then.
    const known = minor < 40 ? { ...limits, PidsLimit: null } : limits;
    replyJson(exchange, { Warnings: await update(engine, container, known) });
  }),
  post("/containers/{id...}/resize", (engine, exchange, parameters) => {
    const container = find(engine, parameter(parameters, "id"));
    resize(engine, container, ...sizeOf(exchange));
    exchange.reply(200);
  }),
  get("/containers/{id...}/top", (engine, exchange, parameters) => {
    const container = find(engine, parameter(parameters, "id"));
    replyJson(exchange, top(engine, container, exchange.query.get("ps_args") ?? ""));
  }),
  del("/containers/{id...}", async (engine, exchange, parameters) => {
    const id = parameter(parameters, "id");
    if (flag(exchange, "link")) {
      unlink(engine, id);
      return exchange.reply(204);
    }
    const container = find(engine, id);
    await remove(engine, container, {
      as: id,
      force: flag(exchange, "force"),
      volumes: flag(exchange, "v"),
    });
    exchange.reply(204);
  }),
];

/** `h` and `w`, both needed. */
export function sizeOf(exchange: Exchange): [rows: number, columns: number] {
  return [measure("height", exchange.query.get("h")), measure("width", exchange.query.get("w"))];
}

function measure(what: string, text: string | null): number {
  const bad = (why: string): Refusal =>
    invalid(`invalid resize ${what} ${JSON.stringify((text ?? "").slice(0, 40))}: ${why}`);
  if (text === null || !/^-?\d+$/.test(text)) throw bad("invalid syntax");
  const cells = Number(text);
  if (text.startsWith("-") || cells > 0xffff_ffff) throw bad("value out of range");
  return cells;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A time, or a span before now (`24h`, `1h30m`); milliseconds since 1970. */
export function untilOf(values: readonly string[] | undefined): number | null {
  const [text] = values ?? [];
  if (text === undefined) return null;
  if (/^(\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) {
    let span = 0;
    for (const [, n, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) span += Number(n) * UNITS[unit!]!;
    return Date.now() - span;
  }
  const at = parseTime(text) ?? parseTime(`${text}Z`) ?? parseTime(`${text}T00:00:00Z`);
  if (at === null)
    throw invalid(`failed to parse value as time or duration: ${JSON.stringify(text.slice(0, 80))}`);
  return Number(at / 1_000_000n);
}
