import type { Volume, VolumeCreateRequest, VolumesPruned } from "../wire/volume.ts";
import type { Engine } from "./engine.ts";
import { conflict, notFound } from "./refuse.ts";

/** Named volumes, as the engine needs them; `src/volume` makes them. */
export interface Volumes {
  get(name: string): Volume | undefined;
  list(): Volume[];
  /** Idempotent: the volume that is there is returned. Without a name it is an anonymous one. */
  create(request: VolumeCreateRequest): Promise<Volume>;
  /** The caller knows that no container uses it. */
  remove(name: string, force: boolean): Promise<void>;
  /** Bytes. */
  usage(name: string): Promise<number>;
}

/** Ids of the containers that have the volume. */
function usersOf(engine: Engine, name: string): string[] {
  return [...engine.containers.values()]
    .filter(({ record }) => record.mounts.some((mount) => mount.Type === "volume" && mount.Name === name))
    .map(({ record }) => record.id);
}

export function findVolume(engine: Engine, name: string): Volume {
  const volume = engine.volumes.get(name);
  if (!volume) throw notFound(`get ${name.slice(0, 255)}: no such volume`);
  return volume;
}

export async function createVolume(engine: Engine, request: VolumeCreateRequest): Promise<Volume> {
  const known = request.Name ? engine.volumes.get(request.Name) : undefined;
  const volume = await engine.volumes.create(request);
  if (!known) engine.events.emit("volume", "create", volume.Name, { driver: volume.Driver });
  return volume;
}

export async function removeVolume(engine: Engine, name: string, force: boolean): Promise<void> {
  if (!engine.volumes.get(name)) {
    if (force) return;
    throw notFound(`get ${name.slice(0, 255)}: no such volume`);
  }
  const users = usersOf(engine, name);
  if (users.length > 0) throw conflict(`remove ${name}: volume is in use - [${users.join(", ")}]`);
  await engine.volumes.remove(name, force);
  engine.events.emit("volume", "destroy", name, { driver: "local" });
}

export type Filters = Readonly<Record<string, readonly string[]>>;

export function listVolumes(engine: Engine, filters: Filters): Volume[] {
  const dangling = filters.dangling?.[0];
  return engine.volumes.list().filter((volume) => {
    if (filters.name?.length && !filters.name.some((name) => volume.Name.includes(name))) return false;
    if (filters.driver?.length && !filters.driver.includes(volume.Driver)) return false;
    if (!(filters.label ?? []).every((label) => hasLabel(volume, label))) return false;
    if (dangling === undefined) return true;
    return (usersOf(engine, volume.Name).length === 0) === ["1", "true"].includes(dangling);
  });
}

/** Marks a volume that got no name of its own. */
export const ANONYMOUS_LABEL = "com.docker.volume.anonymous";

/** Removes volumes that no container has: the anonymous ones, with filter `all` the named ones as well. */
export async function pruneVolumes(engine: Engine, filters: Filters): Promise<VolumesPruned> {
  const all = ["1", "true"].includes(filters.all?.[0] ?? "");
  const unwanted = filters["label!"] ?? [];
  const deleted: string[] = [];
  let bytes = 0;
  for (const volume of listVolumes(engine, { label: filters.label ?? [], dangling: ["true"] })) {
    const anonymous = volume.Labels !== null && ANONYMOUS_LABEL in volume.Labels;
    if ((!all && !anonymous) || unwanted.some((label) => hasLabel(volume, label))) continue;
    const size = await engine.volumes.usage(volume.Name);
    await removeVolume(engine, volume.Name, false);
    deleted.push(volume.Name);
    bytes += size;
  }
  engine.events.emit("volume", "prune", "", { reclaimed: String(bytes) });
  return { VolumesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: bytes };
}

export function volumesWithUsage(engine: Engine): Promise<Volume[]> {
  return Promise.all(
    engine.volumes.list().map(async (volume) => ({
      ...volume,
      UsageData: {
        Size: await engine.volumes.usage(volume.Name),
        RefCount: usersOf(engine, volume.Name).length,
      },
    })),
  );
}

function hasLabel({ Labels }: Volume, filter: string): boolean {
  const [key = "", wanted] = filter.split(/=(.*)/s);
  const value = Labels?.[key];
  return value !== undefined && (wanted === undefined || value === wanted);
}
