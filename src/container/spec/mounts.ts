import type { Linux } from "../../oci/runtime/linux.ts";
import type { Mount } from "../../oci/runtime/spec.ts";
import type { ContainerConfig, HostConfig } from "../../wire/container.ts";
import { defaultMounts } from "./default-mounts.ts";
import type { SpecFacts } from "./facts.ts";
import { containerOf } from "./mode.ts";
import type { MountPoint } from "./mountpoint.ts";
import { mountPoints } from "./mountpoints.ts";
import { type Origins, typedWord } from "./origins.ts";
import { tmpfsOptions } from "./tmpfs.ts";
import { parseUserns } from "./userns.ts";

/** A mount with the option behind it. */
interface Asked {
  readonly mount: Mount;
  readonly option?: string;
}

/**
 * What is mounted below the root, in Docker's order: the kernel's file systems, then what was asked for, shallow paths
 * first so that nothing is hidden by a mount above it. What is asked for replaces a default at the same place.
 */
export function mountsOf(
  config: ContainerConfig,
  host: HostConfig,
  facts: SpecFacts,
  origins: Origins,
): { readonly mounts: readonly Mount[]; readonly propagation: Linux["rootfsPropagation"] } {
  const points = mountPoints(config, host, facts.inherited).map((point) => ({
    ...point,
    ...facts.bound?.get(point.target),
  }));
  const asked = [...sharedMemory(host, facts), ...requested(points, host, facts)].toSorted(
    (a, b) => depth(a.mount.destination) - depth(b.mount.destination),
  );
  const taken = new Set(asked.map(({ mount }) => mount.destination));
  const defaults = defaultMounts(host).filter(
    ({ mount: { destination } }) =>
      !taken.has(destination) && !(taken.has("/dev") && destination.startsWith("/dev/")),
  );
  const all: readonly Asked[] = [...defaults, ...asked];
  all.forEach(({ option }, index) => {
    if (option !== undefined) origins.add(`mounts[${index}]`, option);
  });
  return { mounts: all.map(({ mount }) => mount), propagation: rootPropagation(points) };
}

/** tmpfs, binds, volumes, then the generated files, whose place a bind of the user's may take. */
function requested(points: readonly MountPoint[], host: HostConfig, facts: SpecFacts): readonly Asked[] {
  const owners = ownersOf(host);
  const mounts = points.map((point) => ({ mount: mountOf(point, facts, owners), option: point.option }));
  const { resolvConf, hostname, hosts } = facts.files;
  const generated = [
    ["/etc/resolv.conf", resolvConf],
    ["/etc/hostname", hostname],
    ["/etc/hosts", hosts],
  ] as const;
  for (const [destination, source] of generated) {
    if (source === undefined || points.some(({ target }) => target === destination)) continue;
    const options = ["rbind", ...(host.ReadonlyRootfs ? [recursive(facts)] : []), "rprivate", ...owners];
    const mount = { destination, type: "bind", source, options };
    mounts.push({
      mount,
      ...(host.ReadonlyRootfs ? { option: "--read-only" } : {}),
    } as (typeof mounts)[number]);
  }
  return mounts;
}

/**
 * For a container with own users, what is the engine's (volumes, generated files) belongs to the container's root, as
 * its image does. What is bound from the host stays the host's.
 */
function ownersOf(host: HostConfig): readonly "idmap"[] {
  return typeof parseUserns(host.UsernsMode) === "object" ? ["idmap"] : [];
}

function mountOf(point: MountPoint, facts: SpecFacts, owners: readonly "idmap"[]): Mount {
  const { type, source, target: destination } = point;
  if (type === "tmpfs") {
    const options = tmpfsOptions(point.options);
    if ("wrong" in options) throw new Error(options.wrong);
    return { destination, type: "tmpfs", source: "tmpfs", options };
  }
  const path = type === "bind" ? source : facts.volumes.get(destination);
  if (path === undefined) throw new Error(`Cannot mount ${destination}: the volume has no directory`);
  const propagation = point.propagation || (type === "bind" ? "rprivate" : "");
  const options = [
    point.recursive ? "rbind" : "bind",
    ...(point.readonly || type === "image" ? [point.below === "never" ? "ro" : recursive(facts)] : []),
    ...(propagation === "" ? [] : [propagation]),
    ...(type === "volume" ? owners : []),
  ];
  return { destination, type: "bind", source: path, options };
}

/** `--ipc shareable` and `container:ID` share one directory, `host` has the host's. */
function sharedMemory(host: HostConfig, facts: SpecFacts): readonly Asked[] {
  const mode = host.IpcMode ?? "";
  const shared = mode === "shareable" || containerOf(mode) !== undefined;
  const source = mode === "host" ? "/dev/shm" : shared ? facts.sharedMemory : undefined;
  if (source === undefined) return [];
  const mount = { destination: "/dev/shm", type: "bind", source, options: ["rbind", "rprivate"] };
  return [{ mount, option: `--ipc ${typedWord(mode)}` }];
}

/** A mount can only be received if everything above it does not shut it out. */
function rootPropagation(points: readonly MountPoint[]): Linux["rootfsPropagation"] {
  if (points.some(({ propagation }) => propagation.endsWith("shared"))) return "shared";
  return points.some(({ propagation }) => propagation.endsWith("slave")) ? "rslave" : undefined;
}

/** Since 5.12 (`mount_setattr`) read-only can reach into the mounts below. */
function recursive({ kernel }: SpecFacts): "rro" | "ro" {
  const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10) || 0);
  return major > 5 || (major === 5 && minor >= 12) ? "rro" : "ro";
}

function depth(path: string): number {
  return path.split("/").filter(Boolean).length;
}
