import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Rootfs } from "../../storage/driver.ts";
import type { UserFiles } from "./user.ts";

/** Larger files are no user database. */
const MAX = 16 * 1024 * 1024;

/**
 * `/etc/passwd` and `/etc/group` as a container with this root sees them, without mounting it. Links are not
 * followed: they could lead out of the layers.
 */
export function userFiles(rootfs: Rootfs): UserFiles {
  const directories =
    rootfs.kind === "directory"
      ? [rootfs.path]
      : [rootfs.upper, ...rootfs.lower].map((path) =>
          path.startsWith("/") ? path : join(rootfs.base, path),
        );
  return { passwd: textIn(directories, "passwd"), group: textIn(directories, "group") };
}

/** The topmost layer that says something about the file decides. */
function textIn(directories: readonly string[], name: string): string {
  for (const directory of directories) {
    const etc = lstatSync(`${directory}/etc`, { throwIfNoEntry: false });
    if (!etc) continue;
    // A whiteout, or a link: nothing below it counts, and it is not followed.
    if (!etc.isDirectory()) return "";
    const stat = lstatSync(`${directory}/etc/${name}`, { throwIfNoEntry: false });
    if (stat) return stat.isFile() ? read(`${directory}/etc/${name}`) : "";
  }
  return "";
}

function read(path: string): string {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    return stat.isFile() && stat.size <= MAX ? readFileSync(descriptor, "utf8") : "";
  } finally {
    closeSync(descriptor);
  }
}
