import { find as findContainer } from "../../engine/containers/find.ts";
import { createNetwork, pruneNetworks, removeNetwork } from "../../engine/networks/change.ts";
import { connect, disconnect, disconnectGone } from "../../engine/networks/connect.ts";
import { listNetworks, NETWORK_FILTERS } from "../../engine/networks/list.ts";
import { membersOf, networkView } from "../../engine/networks/view.ts";
import { invalid, notFound } from "../../engine/refuse.ts";
import { connectRequest, disconnectRequest, networkRequest } from "../../engine/requests.ts";
import { Refusal } from "../../oci/error.ts";
import { replyJson } from "../failure.ts";
import type { Exchange } from "../http/exchange.ts";
import { filters, jsonBody } from "../request.ts";
import { del, get, parameter, post, type Route } from "../route.ts";
import { untilOf } from "./containers.ts";

const list: Parameters<typeof get>[1] = (engine, exchange, _, minor) =>
  // Who is on them was told before API 1.28.
  replyJson(exchange, listNetworks(engine, filters(exchange, NETWORK_FILTERS), minor < 28));

/** Networks, and who is on them. */
export const networks: readonly Route[] = [
  get("/networks", list),
  get("/networks/", list),
  post("/networks/create", async (engine, exchange, _, minor) => {
    const { EnableIPv4, ...asked } = networkRequest(await jsonBody(exchange));
    // Before 1.48 every network had IPv4.
    const request = minor < 48 || EnableIPv4 === undefined ? asked : { ...asked, EnableIPv4 };
    const { id } = await createNetwork(engine, request);
    const obstacles = await engine.firewall.obstacles();
    replyJson(exchange, { Id: id, Warning: obstacles.map(({ message }) => message).join("; ") }, 201);
  }),
  post("/networks/prune", async (engine, exchange) => {
    const asked = filters(exchange, ["label", "label!", "until"]);
    replyJson(exchange, await pruneNetworks(engine, asked, untilOf(asked.until)));
  }),
  post("/networks/{id...}/connect", async (engine, exchange, parameters) => {
    const { Container, EndpointConfig } = connectRequest(await jsonBody(exchange));
    const container = memberNamed(engine, Container);
    const network = engine.networks.find(parameter(parameters, "id"));
    await connect(engine, network, container(), EndpointConfig);
    exchange.reply(200);
  }),
  post("/networks/{id...}/disconnect", async (engine, exchange, parameters) => {
    const { Container, Force } = disconnectRequest(await jsonBody(exchange));
    const container = memberNamed(engine, Container);
    const reference = parameter(parameters, "id");
    try {
      const network = found(engine, reference);
      await (network
        ? disconnect(engine, network, container())
        : disconnectGone(engine, reference, container(), Force ?? false));
    } catch (error) {
      if (!Force || !(error instanceof Refusal) || error.kind !== "notFound") throw error;
      throw notFound(`endpoint ${Container.slice(0, 255)} not found`);
    }
    exchange.reply(200);
  }),
  get("/networks/{id...}", (engine, exchange, parameters) => {
    checkVerbose(exchange);
    const network = engine.networks.find(parameter(parameters, "id"));
    const scope = exchange.query.get("scope");
    if (scope && scope !== network.scope) throw notFound(`network ${parameter(parameters, "id")} not found`);
    replyJson(exchange, networkView(network, membersOf(engine, network)));
  }),
  del("/networks/{id...}", async (engine, exchange, parameters) => {
    await removeNetwork(engine, engine.networks.find(parameter(parameters, "id")));
    exchange.reply(204);
  }),
];

/** The body's container, looked for once the network is found: Docker complains of that first. */
function memberNamed(engine: Parameters<typeof findContainer>[0], reference: string) {
  if (reference.trim() === "") throw invalid(`invalid name or ID supplied: "${reference}"`);
  return () => findContainer(engine, reference);
}

function found({ networks }: Parameters<typeof findContainer>[0], reference: string) {
  try {
    return networks.find(reference);
  } catch (error) {
    if (error instanceof Refusal && error.kind === "notFound") return undefined;
    throw error;
  }
}

/** Go's booleans; there is nothing more to tell than without it. */
function checkVerbose(exchange: Exchange): void {
  const value = exchange.query.get("verbose");
  if (value === null || value === "" || /^(1|t|true|0|f|false)$/i.test(value)) return;
  throw invalid(
    `invalid value for verbose: ${value.slice(0, 80)}: strconv.ParseBool: parsing "${value.slice(0, 80)}": invalid syntax`,
  );
}
