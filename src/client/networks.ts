import type { EndpointSettings } from "../wire/endpoint.ts";
import type { Network, NetworkCreated, NetworkCreateRequest, NetworksPruned } from "../wire/network.ts";
import type { NetworkPath } from "../wire/path.ts";
import { type Filters, filterQuery } from "./containers.ts";
import { ask, type Engine, segment, tell } from "./request.ts";

/** Makes a network. @throws EngineError 409 when its name is in use */
export function createNetwork(engine: Engine, body: NetworkCreateRequest): Promise<NetworkCreated> {
  return ask(engine, "/networks/create", { method: "POST", json: body });
}

/** Networks by filters, without their members. */
export function listNetworks(engine: Engine, filters: Filters): Promise<readonly Network[]> {
  return ask(engine, "/networks", { query: { filters: filterQuery(filters) } });
}

/** A network with its members. @throws EngineError 404 when there is none */
export function inspectNetwork(engine: Engine, name: string): Promise<Network> {
  return ask(engine, `/networks/${segment(name, "network")}`);
}

/** What packets of a network pass, read from the kernel. Only cais has it. */
export function networkPath(engine: Engine, name: string): Promise<NetworkPath> {
  return ask(engine, `/cais/networks/${segment(name, "network")}/path`);
}

/** @throws EngineError 403 while containers are on it */
export function removeNetwork(engine: Engine, name: string): Promise<void> {
  return tell(engine, `/networks/${segment(name, "network")}`, { method: "DELETE" });
}

/** Removes networks that no container uses. */
export function pruneNetworks(engine: Engine, filters: Filters): Promise<NetworksPruned> {
  return ask(engine, "/networks/prune", { method: "POST", query: { filters: filterQuery(filters) } });
}

/** Puts a container on a further network. */
export function connectNetwork(
  engine: Engine,
  name: string,
  Container: string,
  EndpointConfig: EndpointSettings,
): Promise<void> {
  return tell(engine, `/networks/${segment(name, "network")}/connect`, {
    json: { Container, EndpointConfig },
  });
}

/** Takes a container off a network. */
export function disconnectNetwork(
  engine: Engine,
  name: string,
  Container: string,
  Force: boolean,
): Promise<void> {
  return tell(engine, `/networks/${segment(name, "network")}/disconnect`, { json: { Container, Force } });
}
