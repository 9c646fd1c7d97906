import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { O } from "../../kernel/flags.ts";
import { codeOf } from "../../oci/error.ts";
import type { Rootfs } from "../../storage/driver.ts";
import type { UserFiles } from "./user.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
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
    const text = read(`${directory}/etc`, name);
    if (text !== undefined) return text;
  }
  return "";
}

/** In the topmost layer a process of the container may put links in the way meanwhile: they are not followed then. */
function read(etc: string, name: string): string | undefined {
  const opened: number[] = [];
  try {
    const open = (path: string, flags: number) => opened[opened.push(openSync(path, flags | O_NOFOLLOW)) - 1];
    const directory = open(etc, O.PATH | O_DIRECTORY);
    const path = `/proc/self/fd/${directory}/${name}`;
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (!there) return undefined;
    if (!there.isFile()) return "";
    const file = open(path, O_RDONLY | O_NONBLOCK);
    const stat = file === undefined ? undefined : fstatSync(file);
    return file !== undefined && stat?.isFile() && stat.size <= MAX ? readFileSync(file, "utf8") : "";
  } catch (error) {
    if (codeOf(error) === "ELOOP" || codeOf(error) === "ENOTDIR" || codeOf(error) === "ENOENT") return "";
    throw error;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}
