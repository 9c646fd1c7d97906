import type { Network, NetworksPruned } from "../wire/network.ts";
import type { Volume, VolumeCreateRequest, VolumeList, VolumesPruned } from "../wire/volume.ts";
import { type Filters, filterQuery } from "./containers.ts";
import { ask, type Engine, segment, tell } from "./request.ts";

export function createVolume(engine: Engine, body: VolumeCreateRequest): Promise<Volume> {
  return ask(engine, "/volumes/create", { method: "POST", json: body });
}

export async function listVolumes(engine: Engine, filters: Filters): Promise<readonly Volume[]> {
  const found = await ask<VolumeList>(engine, "/volumes", { query: { filters: filterQuery(filters) } });
  return found.Volumes ?? [];
}

export function inspectVolume(engine: Engine, name: string): Promise<Volume> {
  return ask(engine, `/volumes/${segment(name)}`);
}

export function removeVolume(engine: Engine, name: string, force: boolean): Promise<void> {
  return tell(engine, `/volumes/${segment(name)}`, { method: "DELETE", query: { force } });
}

export function pruneVolumes(engine: Engine, filters: Filters): Promise<VolumesPruned> {
  return ask(engine, "/volumes/prune", { method: "POST", query: { filters: filterQuery(filters) } });
}

export function listNetworks(engine: Engine, filters: Filters): Promise<readonly Network[]> {
  return ask(engine, "/networks", { query: { filters: filterQuery(filters) } });
}

export function inspectNetwork(engine: Engine, name: string): Promise<Network> {
  return ask(engine, `/networks/${segment(name)}`);
}

export function pruneNetworks(engine: Engine, filters: Filters): Promise<NetworksPruned> {
  return ask(engine, "/networks/prune", { method: "POST", query: { filters: filterQuery(filters) } });
}
