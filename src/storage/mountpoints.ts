import type { Stats } from "node:fs";

/**
 * What a start makes in the upper directory to mount on. Docker keeps these in a layer between the image and the
 * container, so they are in no difference and in no commit.
 */
const FILES = new Set([
  ".dockerenv",
  "dev/console",
  "etc/hostname",
  "etc/hosts",
  "etc/mtab",
  "etc/resolv.conf",
]);
const DIRECTORIES = new Set(["dev", "dev/mqueue", "dev/pts", "dev/shm", "etc", "proc", "sys"]);

/** Whether an entry of the upper directory, which no layer has, is there to be mounted on only. */
export function isMountpoint(path: string, stat: Stats): boolean {
  return stat.isDirectory() ? DIRECTORIES.has(path) : stat.isFile() && stat.size === 0 && FILES.has(path);
}

/** Whether making mount points may have changed the time of this directory. */
export function holdsMountpoints(directory: string, names: readonly string[]): boolean {
  const prefix = directory === "" ? "" : `${directory}/`;
  return names.some((name) => FILES.has(prefix + name) || DIRECTORIES.has(prefix + name));
}
