import { existsSync, readFileSync } from "node:fs";
import { cpus, hostname, release } from "node:os";
import { readLabels } from "../container/launch/attributes.ts";
import { netFilesOf } from "../container/netfiles.ts";
import type { ContainerRecord } from "../container/record.ts";
import type { SpecFacts } from "../container/spec/facts.ts";
import type { MountPoint } from "../container/spec/mountpoint.ts";
import { mountPoints } from "../container/spec/mountpoints.ts";
import { ownUts } from "../container/spec/sysctls.ts";
import { resolveUser } from "../container/spec/user.ts";
import { userFiles } from "../container/spec/user-files.ts";
import type { ValidationFacts } from "../container/spec/validate.ts";
import { hostArch } from "../kernel/arch.ts";
import { ownCapabilities } from "../kernel/capabilities.ts";
import type { HostConfig } from "../wire/container.ts";
import { findNamed } from "./containers/joined.ts";
import type { Context } from "./context.ts";
import { devicesAt, hostDevices } from "./devices.ts";
import { namesFolder } from "./networks/files.ts";
import { invalid } from "./refuse.ts";

/** What does not change while the engine runs; read once. */
export function machine(): ValidationFacts {
  known ??= {
    arch: hostArch(),
    kernel: release(),
    capabilities: ownCapabilities(),
    apparmor: readLabels().apparmor,
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

/** What a container's runtime configuration depends on besides what was asked, and whom it joins (`joinedFacts`). */
export function factsOf(
  context: Context,
  record: ContainerRecord,
  user = record.config.User ?? "",
): SpecFacts {
  const { host, id } = record;
  const files = netFilesOf(namesFolder(context, record));
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
    inherited: inheritedBy(context, record),
    devices: devicesAt,
    hostDevices,
    exists: existsSync,
  };
}

/** What `--volumes-from` brought to a container; documents of before do not say. */
export const inheritedBy = (
  context: Context,
  { inherited, host }: Pick<ContainerRecord, "inherited" | "host">,
): readonly MountPoint[] => inherited ?? inheritedMounts(context, host);

/** What `--volumes-from` takes over. */
export function inheritedMounts(context: Context, { VolumesFrom }: HostConfig): MountPoint[] {
  return (VolumesFrom ?? []).flatMap((word) => {
    const [reference = "", mode = "rw"] = word.split(":");
    if (!mode.split(",").every((one) => ["ro", "rw", "z", "Z"].includes(one)))
      throw invalid(`invalid mode: ${mode.slice(0, 80)}`);
    const { record } = findNamed(context, reference, `--volumes-from ${word}`);
    return mountPoints(record.config, record.host, inheritedBy(context, record))
      .filter(({ type }) => type === "bind" || type === "volume")
      .map((point) => {
        const mount = record.mounts.find(({ Destination }) => Destination === point.target);
        return {
          ...point,
          source: mount?.Name ?? point.source,
          // What a volume gets of an image, it has got from that of its first container.
          copy: false,
          readonly: point.readonly || mode.split(",").includes("ro"),
          option: `--volumes-from ${word}`,
        };
      });
  });
}

/** The volumes without a name of the containers that `--volumes-from` names. */
export const inheritedAnonymous = (context: Context, { VolumesFrom }: HostConfig): readonly string[] =>
  (VolumesFrom ?? []).flatMap((word) => {
    const [reference = ""] = word.split(":");
    return findNamed(context, reference, `--volumes-from ${word}`).record.anonymous;
  });
