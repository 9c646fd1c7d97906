import { invalid, notANumber, notFound, unsupported } from "../../engine/refuse.ts";
import { Refusal } from "../../oci/error.ts";
import type { Head } from "../http/head.ts";
import { filters } from "../request.ts";
import { del, get, parameter, post, type Route } from "../route.ts";

const noManager = (): never => {
  throw new Refusal(
    "unavailable",
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
};

const noSwarm = (): never => {
  throw unsupported("cais is an engine for one machine and has no swarm: use Compose for several containers");
};

const swarm: readonly Route[] = [
  ...["/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs", "/swarm/unlockkey"].map((path) =>
    get(path, noManager),
  ),
  ...["nodes", "services", "tasks", "secrets", "configs"].map((kind) => get(`/${kind}/{id}`, noManager)),
  ...["services", "tasks"].map((kind) => get(`/${kind}/{id}/logs`, noManager)),
  ...["nodes", "services", "secrets", "configs"].flatMap((kind) => [
    post(`/${kind}/{id}/update`, noManager),
    del(`/${kind}/{id}`, noManager),
    ...(kind === "nodes" ? [] : [post(`/${kind}/create`, noManager)]),
  ]),
  post("/swarm/update", noManager),
  post("/swarm/unlock", noManager),
  post("/swarm/leave", () => {
    throw new Refusal("unavailable", "This node is not part of a swarm");
  }),
  post("/swarm/init", noSwarm),
  post("/swarm/join", noSwarm),
];

const noPlugin = (_: unknown, __: unknown, parameters: Readonly<Record<string, string>>): never => {
  throw notFound(`plugin ${JSON.stringify(parameter(parameters, "name").slice(0, 255))} not found`);
};

const noPlugins = (): never => {
  throw unsupported("cais has no plugins: what they add, volumes and networks, is built in");
};

const plugins: readonly Route[] = [
  get("/plugins", (_, exchange) => {
    filters(exchange, ["capability", "enabled"]);
    exchange.reply(200, "[]\n");
  }),
  get("/plugins/privileges", noPlugins),
  post("/plugins/pull", noPlugins),
  post("/plugins/create", noPlugins),
  get("/plugins/{name...}/json", noPlugin),
  post("/plugins/{name...}/enable", (engine, exchange, parameters) => {
    const timeout = exchange.query.get("timeout") ?? "";
    if (!/^-?\d+$/.test(timeout)) throw notANumber("Atoi", timeout);
    return noPlugin(engine, exchange, parameters);
  }),
  ...["disable", "push", "set"].map((action) => post(`/plugins/{name...}/${action}`, noPlugin)),
  post("/plugins/{name...}/upgrade", (_, __, parameters) => {
    const name = parameter(parameters, "name");
    throw notFound(`plugin ${JSON.stringify(name.includes(":") ? name : `${name}:latest`)} not found`);
  }),
  del("/plugins/{name...}", noPlugin),
];

/** Docker's words for what it calls experimental. */
const noExperiment = (): never => {
  throw unsupported(
    "This experimental feature is disabled by default. Start the Docker daemon in experimental mode in order to enable it.",
  );
};

const noBuildKit = (_: unknown, { head }: { readonly head: Head }): never => {
  if (!head.headers.has("upgrade")) throw invalid("no upgrade proto in request");
  throw unsupported("BuildKit is not supported: the classic builder is used instead");
};

/** Parts of the API that one machine has no use for, answered as by an engine that is in no swarm and has no plugins. */
export const others: readonly Route[] = [
  ...swarm,
  ...plugins,
  post("/session", noBuildKit),
  post("/grpc", noBuildKit),
  get("/containers/{id...}/checkpoints", noExperiment),
  post("/containers/{id...}/checkpoints", noExperiment),
  post("/build/cancel", (_, exchange) => {
    if (!exchange.query.get("id")) throw invalid("build ID not provided");
    // A build of the classic builder ends with its request.
    exchange.reply(200, "", "application/json");
  }),
];
