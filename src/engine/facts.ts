import { existsSync, readFileSync } from "node:fs";
import { cpus, hostname, release } from "node:os";
import { netFilesOf } from "../container/netfiles.ts";
import type { ContainerRecord } from "../container/record.ts";
import type { SpecFacts } from "../container/spec/facts.ts";
import { containerOf } from "../container/spec/mode.ts";
import type { MountPoint } from "../container/spec/mountpoint.ts";
import { mountPoints } from "../container/spec/mountpoints.ts";
import { ownUts } from "../container/spec/sysctls.ts";
import { resolveUser } from "../container/spec/user.ts";
import type { ValidationFacts } from "../container/spec/validate.ts";
import { hostArch } from "../kernel/arch.ts";
import { ownCapabilities } from "../kernel/capabilities.ts";
import type { HostConfig } from "../wire/container.ts";
import { find } from "./containers/find.ts";
import type { Context } from "./context.ts";
import { devicesAt, hostDevices } from "./devices.ts";
import { conflict } from "./refuse.ts";
import { userFiles } from "./rootfs/users.ts";

/** What does not change while the engine runs; read once. */
export function machine(): ValidationFacts {
  known ??= {
    arch: hostArch(),
    kernel: release(),
    capabilities: ownCapabilities(),
    cpus: cpus().length,
    cpusetCpus: online("/sys/devices/system/cpu/online"),
    cpusetMems: online("/sys/devices/system/node/online"),
  };
  return known;
}

let known: ValidationFacts | undefined;

/** A list such as `0-3`; a machine without the file has the one. */
function online(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "0";
  }
}

/** What a container's runtime configuration depends on besides what was asked. */
export function factsOf(
  context: Context,
  record: ContainerRecord,
  user = record.config.User ?? "",
): SpecFacts {
  const { host, id } = record;
  const files = netFilesOf(context.store.folder(id));
  const ipc = joinedPid(context, host.IpcMode);
  const joined = {
    ...optional("pid", joinedPid(context, host.PidMode)),
    ...optional("ipc", ipc),
    ...optional("network", joinedPid(context, host.NetworkMode)),
    ...optional("uts", joinedPid(context, host.UTSMode)),
  };
  return {
    ...machine(),
    id,
    rootfs: `${context.run}/rootfs`,
    cgroupVersion: context.cgroups.layout.mode === "v2" ? 2 : 1,
    cgroupParent: context.cgroups.cgroup,
    user: resolveUser(user, host.GroupAdd ?? [], userFiles(context.images.driver.rootfs(id))),
    hostname: ownUts(host) ? (record.config.Hostname ?? "") : hostname(),
    files,
    volumes: new Map(
      record.mounts
        .filter((mount) => mount.Type === "volume")
        .map((mount) => [mount.Destination, mount.Source]),
    ),
    inherited: inheritedMounts(context, host),
    joined,
    ...(ipc === undefined ? {} : { sharedMemory: `/proc/${ipc}/root/dev/shm` }),
    devices: devicesAt,
    hostDevices,
    exists: existsSync,
  };
}

const optional = (key: string, value: number | undefined): Record<string, number> =>
  value === undefined ? {} : { [key]: value };

/** The first process of the container that a mode names. */
function joinedPid(context: Context, mode: string | undefined): number | undefined {
  const reference = containerOf(mode);
  if (reference === undefined) return undefined;
  const { record, running } = find(context, reference);
  if (running) return running.pid;
  throw conflict(
    `cannot join namespace of a non running container: container /${record.name} is ${record.state.status}`,
  );
}

/** What `--volumes-from` takes over. */
export function inheritedMounts(context: Context, { VolumesFrom }: HostConfig): MountPoint[] {
  return (VolumesFrom ?? []).flatMap((word) => {
    const [reference = "", mode = "rw"] = word.split(":");
    const { record } = find(context, reference);
    return mountPoints(record.config, record.host, inheritedMounts(context, record.host))
      .filter(({ type }) => type === "bind" || type === "volume")
      .map((point) => {
        const mount = record.mounts.find(({ Destination }) => Destination === point.target);
        return {
          ...point,
          source: mount?.Name ?? point.source,
          readonly: point.readonly || mode === "ro",
          option: `--volumes-from ${word}`,
        };
      });
  });
}
