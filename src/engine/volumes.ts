import { usageOf } from "../storage/usage.ts";
import type { Volume, VolumeCreateRequest, VolumesPruned } from "../wire/volume.ts";
import type { Engine } from "./engine.ts";

export type Filters = Readonly<Record<string, readonly string[]>>;

/** Ids of the containers that have the volume. */
export function volumeUsers(engine: Pick<Engine, "containers">, name: string): string[] {
  return [...engine.containers.values()]
    .filter(({ record }) => record.mounts.some((mount) => mount.Type === "volume" && mount.Name === name))
    .map(({ record }) => record.id);
}

/** Idempotent: the volume that is there is returned. Without a name it is an anonymous one. */
export function createVolume(engine: Engine, request: VolumeCreateRequest): Volume {
  const known = request.Name ? engine.volumes.find(request.Name) : undefined;
  const volume = engine.volumes.create({
    ...(request.Name ? { name: request.Name } : {}),
    ...(request.Driver ? { driver: request.Driver } : {}),
    ...(request.Labels ? { labels: request.Labels } : {}),
    ...(request.DriverOpts ? { options: request.DriverOpts } : {}),
  });
  if (!known) engine.events.emit("volume", "create", volume.Name, { driver: volume.Driver });
  return volume;
}

/** @throws Refusal when a container has it, or it is not there */
export async function removeVolume(engine: Engine, name: string, force: boolean): Promise<void> {
  const known = engine.volumes.find(name);
  await engine.volumes.remove(name, { force });
  if (known) engine.events.emit("volume", "destroy", name, { driver: known.Driver });
}

/** Removes volumes that no container has: the anonymous ones, with filter `all` the named ones as well. */
export async function pruneVolumes(engine: Engine, filters: Filters): Promise<VolumesPruned> {
  const { VolumesDeleted, SpaceReclaimed } = await engine.volumes.prune(filters);
  for (const name of VolumesDeleted) engine.events.emit("volume", "destroy", name, { driver: "local" });
  engine.events.emit("volume", "prune", "", { reclaimed: String(SpaceReclaimed) });
  return { VolumesDeleted, SpaceReclaimed };
}

/** With the bytes in each, and how many containers have it. */
export const volumesWithUsage = (engine: Engine): Promise<Volume[]> =>
  Promise.all(
    engine.volumes.list().map(async (volume) => ({
      ...volume,
      UsageData: {
        Size: await usageOf(volume.Mountpoint),
        RefCount: volumeUsers(engine, volume.Name).length,
      },
    })),
  );
