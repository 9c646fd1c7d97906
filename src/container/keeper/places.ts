import { closeSync, lstatSync, mkdirSync, openSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Rootfs } from "../../storage/driver.ts";

const DIRECTORIES = ["proc", "sys", "dev", "etc"];
const FILES = ["etc/hosts", "etc/hostname", "etc/resolv.conf"];
/** Docker's containers have these two, and programs look for them: "am I in a container", "what is mounted". */
const MARK = ".dockerenv";
const MOUNT_TABLE = "etc/mtab";

/** Make the directory of `withPlaces` at `path`. Idempotent. */
export function makePlaces(path: string): void {
  for (const name of DIRECTORIES) mkdirSync(join(path, name), { recursive: true, mode: 0o755 });
  for (const name of [...FILES, MARK]) closeSync(openSync(join(path, name), "a", 0o644));
  const table = join(path, MOUNT_TABLE);
  if (!lstatSync(table, { throwIfNoEntry: false })) symlinkSync("/proc/mounts", table);
}

/**
 * The root with a directory below all of its layers that has the places which every container mounts something
 * on: what the image has wins, and what it lacks need not be made for each container. A new name in an overlay
 * costs a tenth of a millisecond, seven of them more than all mounts together.
 */
export function withPlaces(rootfs: Rootfs, places: string): Rootfs {
  // On one file system everything lies in "/", and lower directories must not lie in one another.
  if (rootfs.kind !== "overlay" || rootfs.lower.includes("/")) return rootfs;
  return { ...rootfs, lower: [...rootfs.lower, places] };
}
