import type { Volume, VolumeCreateRequest, VolumeList, VolumesPruned } from "../wire/volume.ts";
import { type Filters, filterQuery } from "./containers.ts";
import { ask, type Engine, segment, tell } from "./request.ts";

/** Makes a volume; one of that name that exists already is the answer. */
export function createVolume(engine: Engine, body: VolumeCreateRequest): Promise<Volume> {
  return ask(engine, "/volumes/create", { method: "POST", json: body });
}

/** Volumes by filters. */
export async function listVolumes(engine: Engine, filters: Filters): Promise<readonly Volume[]> {
  const found = await ask<VolumeList>(engine, "/volumes", { query: { filters: filterQuery(filters) } });
  return found.Volumes ?? [];
}

/** @throws EngineError 404 when there is none */
export function inspectVolume(engine: Engine, name: string): Promise<Volume> {
  return ask(engine, `/volumes/${segment(name, "volume")}`);
}

/** @throws EngineError 409 while a container uses it; `force` does not mind one that is absent */
export function removeVolume(engine: Engine, name: string, force: boolean): Promise<void> {
  return tell(engine, `/volumes/${segment(name, "volume")}`, { method: "DELETE", query: { force } });
}

/** Removes volumes that no container uses: anonymous ones, or all (filter `all=true`). */
export function pruneVolumes(engine: Engine, filters: Filters): Promise<VolumesPruned> {
  return ask(engine, "/volumes/prune", { method: "POST", query: { filters: filterQuery(filters) } });
}
