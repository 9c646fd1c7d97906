import { readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import type { Device } from "../oci/runtime/linux.ts";

/** The device at a path of the host, or those below a directory; undefined where nothing is. Links are followed. */
export function devicesAt(path: string): Device[] | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return undefined;
  if (stat.isDirectory()) return below(path);
  const device = deviceOf(path, stat);
  return device ? [device] : [];
}

/** What `--privileged` shows: everything but what each container has of its own. */
const OWN = new Set([
  "/dev/pts",
  "/dev/shm",
  "/dev/fd",
  "/dev/mqueue",
  "/dev/.lxc",
  "/dev/.lxd-mounts",
  "/dev/.udev",
  "/dev/console",
]);

/** Every device of the host that `--privileged` shows. */
export const hostDevices = (): Device[] => below("/dev");

function below(directory: string): Device[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (OWN.has(path) || entry.isSymbolicLink()) return [];
    if (entry.isDirectory()) return below(path);
    const stat = statSync(path, { throwIfNoEntry: false });
    const device = stat && deviceOf(path, stat);
    return device ? [device] : [];
  });
}

function deviceOf(path: string, stat: Stats): Device | undefined {
  const type = stat.isCharacterDevice() ? "c" : stat.isBlockDevice() ? "b" : undefined;
  if (!type) return undefined;
  const { rdev } = stat;
  return {
    path,
    type,
    // glibc's encoding (sys/sysmacros.h), of which Linux uses the low 32 bits.
    major: (rdev >>> 8) & 0xfff,
    minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00),
    fileMode: stat.mode & 0o777,
    uid: stat.uid,
    gid: stat.gid,
  };
}
