import { existsSync, statSync } from "node:fs";
import type { MountPoint as Asked } from "../../container/spec/mountpoint.ts";
import { mountPoints } from "../../container/spec/mountpoints.ts";
import type { ContainerConfig, HostConfig } from "../../wire/container.ts";
import type { MountPoint } from "../../wire/summary.ts";
import type { Volume } from "../../wire/volume.ts";
import type { Context } from "../context.ts";
import { inheritedAnonymous, inheritedMounts } from "../facts.ts";
import { invalid } from "../refuse.ts";
import { createVolume } from "../volumes.ts";
import { propagationOf } from "./propagation.ts";

export interface MadeMounts {
  readonly mounts: readonly MountPoint[];
  /** Of other containers, by `--volumes-from`. */
  readonly inherited: readonly Asked[];
  /** Volumes that were made for this container only. */
  readonly made: readonly string[];
  /** Those, and such volumes of the containers that it inherits from: they go with whoever has them last. */
  readonly anonymous: readonly string[];
  /** Volumes that get what the image has at their place, if they are empty. */
  readonly copies: readonly string[];
}

/**
 * What is mounted into a container on request, with its volumes made where they are not there yet.
 * @throws Refusal for what makes no sense or has no source
 */
export function makeMounts(context: Context, config: ContainerConfig, host: HostConfig): MadeMounts {
  const inherited = host.VolumesFrom?.length ? inheritedMounts(context, host) : [];
  const mounts: MountPoint[] = [];
  const made: string[] = [];
  const copies: string[] = [];
  for (const point of mountPoints(config, host, inherited)) {
    if (point.type === "volume") {
      const { Name, Mountpoint, Driver } = volumeOf(context, point, host);
      if (point.source === "") made.push(Name);
      if (point.copy) copies.push(Name);
      const place = { Source: Mountpoint, Destination: point.target };
      mounts.push({ Type: "volume", Name, ...place, Driver, ...common(point) });
    } else if (point.type === "bind") {
      checkSource(point);
      const place = { Source: point.source, Destination: point.target };
      const Propagation = propagationOf(context.root, point);
      mounts.push({ Type: "bind", ...place, ...common(point), Propagation });
    } else if (point.type === "tmpfs")
      mounts.push({ Type: "tmpfs", Source: "", Destination: point.target, ...common(point) });
    else throw invalid("mounts of images are not supported: use a volume");
  }
  const others = new Set(inherited.length > 0 ? inheritedAnonymous(context, host) : []);
  const taken = mounts.flatMap(({ Name }) => (Name !== undefined && others.has(Name) ? [Name] : []));
  return { mounts, inherited, made, anonymous: [...made, ...taken], copies };
}

const common = ({ readonly, mode = "" }: Asked): Pick<MountPoint, "Mode" | "RW" | "Propagation"> => ({
  Mode: mode,
  RW: !readonly,
  Propagation: "",
});

const volumeOf = (context: Context, point: Asked, { VolumeDriver }: HostConfig): Volume =>
  createVolume(context, {
    Name: point.source,
    Driver: point.driver?.name || VolumeDriver || "local",
    ...(point.driver ? { DriverOpts: point.driver.options } : {}),
    Labels: point.labels ?? {},
  });

function checkSource({ source, create }: Asked): void {
  if (existsSync(source)) return;
  if (!create)
    throw invalid(`invalid mount config for type "bind": bind source path does not exist: ${source}`);
  // Something on the way that is no directory would only be found at the start.
  for (let at = source; at !== "/"; at = at.slice(0, at.lastIndexOf("/")) || "/") {
    const stat = statSync(at, { throwIfNoEntry: false });
    if (stat && !stat.isDirectory()) throw invalid(`Cannot make ${source}: ${at} is not a directory`);
    if (stat) return;
  }
}
