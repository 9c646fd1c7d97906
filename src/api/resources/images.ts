import { find } from "../../engine/containers/find.ts";
import type { Engine } from "../../engine/engine.ts";
import { commitContainer } from "../../engine/images/commit.ts";
import { mustBe } from "../../engine/images/platform.ts";
import { invalid, unsupported } from "../../engine/refuse.ts";
import { Refusal } from "../../oci/error.ts";
import { isFor, platformText } from "../../oci/platform.ts";
import type { ContainerConfig } from "../../wire/container.ts";
import { describe, replyJson } from "../failure.ts";
import type { Exchange, Stream } from "../http/exchange.ts";
import { imageFor, imageSummaryFor } from "../older.ts";
import { platformOf, platformsOf } from "../platform.ts";
import { filters, flag, jsonBody } from "../request.ts";
import { del, get, parameter, post, type Route } from "../route.ts";
import { parseName, pull, push } from "./registry.ts";

const IMAGE_FILTERS = ["dangling", "label", "before", "since", "reference", "until"];

/** The query's value, undefined when it is absent or empty: options that are not given. */
function given<K extends string>(
  exchange: Exchange,
  ...names: readonly K[]
): { readonly [key in K]?: string } {
  const found: { [key in K]?: string } = {};
  for (const name of names) {
    const value = exchange.query.get(name);
    if (value) found[name] = value;
  }
  return found;
}

/** Images: made from archives and containers, listed, named, removed. */
export const images: readonly Route[] = [
  get("/images/json", (engine, exchange, _, minor) => {
    const asked = filters(exchange, IMAGE_FILTERS);
    // Before API 1.25 a pattern of names was a parameter of its own.
    const named = minor < 25 ? exchange.query.get("filter") : null;
    const found = engine.images.list({
      all: flag(exchange, "all"),
      filters: named ? { ...asked, reference: [named] } : asked,
      shared: flag(exchange, "shared-size"),
    });
    replyJson(
      exchange,
      found.map((image) => imageSummaryFor(image, minor)),
    );
  }),
  post("/images/create", async (engine, exchange) => {
    const source = exchange.query.get("fromSrc");
    if (source === null || source === "") return pull(engine, exchange);
    if (source !== "-") throw unsupported("Cannot import from an address: send the archive as the body (-)");
    const { message, platform, repo, tag } = given(exchange, "message", "platform", "repo", "tag");
    await progress(exchange, async (send) => {
      const id = await engine.images.import(exchange.body.stream(), {
        ...(repo === undefined ? {} : { repo }),
        ...(tag === undefined ? {} : { tag }),
        ...(message === undefined ? {} : { message }),
        ...(platform === undefined ? {} : { platform }),
        changes: exchange.query.getAll("changes").flatMap((line) => line.split("\n")),
      });
      send({ status: id });
    });
  }),
  post("/images/load", (engine, exchange) => {
    const platform = platformOf(exchange);
    return progress(
      exchange,
      async (send) => {
        await engine.images.load(exchange.body.stream(), send, platform);
      },
      "at once",
    );
  }),
  get("/images/get", (engine, exchange) =>
    save(
      engine,
      exchange,
      exchange.query.getAll("names").flatMap((name) => name.split(",")),
    ),
  ),
  get("/images/{name...}/get", (engine, exchange, parameters) =>
    save(engine, exchange, [parameter(parameters, "name")]),
  ),
  get("/images/search", () => {
    throw unsupported("Cannot search: this version of cais has no registries yet");
  }),
  post("/images/prune", async (engine, exchange) => {
    replyJson(
      exchange,
      await engine.images.prune(filters(exchange, ["dangling", "label", "label!", "until"])),
    );
  }),
  get("/images/{name...}/json", (engine, exchange, parameters, minor) => {
    const name = parameter(parameters, "name");
    const platform = minor < 49 ? undefined : platformOf(exchange);
    if (platform && flag(exchange, "manifests"))
      throw invalid("conflicting options: manifests and platform options cannot both be set");
    mustBe(engine, platform, name);
    replyJson(exchange, imageFor(engine.images.inspect(name), minor));
  }),
  get("/images/{name...}/history", (engine, exchange, parameters, minor) => {
    const name = parameter(parameters, "name");
    if (minor >= 48) mustBe(engine, platformOf(exchange), name);
    replyJson(exchange, engine.images.history(name));
  }),
  post("/images/{name...}/tag", async (engine, exchange, parameters) => {
    await engine.images.tag(parameter(parameters, "name"), given(exchange, "repo", "tag"));
    exchange.reply(201);
  }),
  post("/images/{name...}/push", (engine, exchange, parameters) =>
    push(engine, exchange, parameter(parameters, "name")),
  ),
  get("/distribution/{name...}/json", (_, __, parameters) => {
    parseName(parameter(parameters, "name"));
    throw unsupported("Cannot ask a registry: this version of cais has no registries yet");
  }),
  del("/images/{name...}", async (engine, exchange, parameters, minor) => {
    const name = parameter(parameters, "name");
    if (name.trim() === "") throw invalid("image name cannot be blank");
    if (minor >= 50)
      for (const platform of platformsOf(exchange, "platforms")) mustBe(engine, platform, name);
    const removed = await engine.images.remove(name, {
      force: flag(exchange, "force"),
      noprune: flag(exchange, "noprune"),
    });
    replyJson(exchange, removed);
  }),
  post("/commit", async (engine, exchange) => {
    const named = exchange.query.get("container") ?? "";
    if (named === "") throw invalid('invalid name or ID supplied: ""');
    const asked = (await jsonBody(exchange)) as ContainerConfig;
    const container = find(engine, named);
    // Without a configuration of its own, changes are made to the container's.
    const config = Object.keys(asked).length > 0 ? asked : container.record.config;
    const { author, comment, repo, tag } = given(exchange, "author", "comment", "repo", "tag");
    const Id = await commitContainer(engine, container, {
      ...(repo === undefined ? {} : { repo }),
      ...(tag === undefined ? {} : { tag }),
      ...(author === undefined ? {} : { author }),
      ...(comment === undefined ? {} : { comment }),
      changes: exchange.query.getAll("changes").flatMap((line) => line.split("\n")),
      pause: exchange.query.get("pause") === null || flag(exchange, "pause"),
      config,
    });
    replyJson(exchange, { Id }, 201);
  }),
];

function save(engine: Engine, exchange: Exchange, names: readonly string[]): Promise<void> {
  const platform = platformOf(exchange);
  const other = platform && names.find((name) => !isFor(engine.images.get(name).config, platform));
  if (platform && other !== undefined)
    throw new Refusal("failed", `no suitable export target found for platform ${platformText(platform)}`);
  return archive(exchange, engine.images.save(names));
}

/**
 * A stream of JSON messages; an error after the first one is a message too, as in Docker.
 * @param when "at once": errors are messages from the beginning on
 */
export async function progress(
  exchange: Exchange,
  work: (send: (message: object) => void) => Promise<void>,
  when?: "at once",
): Promise<void> {
  let stream: Stream | null = null;
  const begin = (): Stream => {
    stream ??= exchange.begin(200, "application/json");
    return stream;
  };
  if (when === "at once") begin();
  try {
    await work((message) => begin().write(`${JSON.stringify(message)}\r\n`));
  } catch (error) {
    if (stream === null) throw error;
    const { message } = describe(error);
    // A command that failed: clients end with its code.
    const { exitCode: code } = error as { readonly exitCode?: number };
    const errorDetail = code === undefined ? { message } : { code, message };
    begin().write(`${JSON.stringify({ errorDetail, error: message })}\r\n`);
  }
  begin().end();
}

/** A tar, as fast as the client takes it. What fails on the way cuts the connection: it cannot look whole. */
export async function archive(
  exchange: Exchange,
  bytes: AsyncIterable<Uint8Array>,
  headers: Record<string, string> = {},
  type = "application/x-tar",
): Promise<void> {
  let stream: Stream | null = null;
  for await (const chunk of bytes) {
    stream ??= exchange.begin(200, type, headers);
    const wait = stream.write(chunk);
    if (wait) await wait;
    if (exchange.gone.aborted) return;
  }
  stream ??= exchange.begin(200, type, headers);
  stream.end();
}
