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
  const looks =
    rootfs.kind === "directory"
      ? [(name: string) => look(rootfs.path, name)]
      : [rootfs.upper, ...rootfs.lower].map((path, index) => {
          const directory = path.startsWith("/") ? path : join(rootfs.base, path);
          const layer = index > 0 && directory !== path;
          return (name: string) => (layer ? lookInLayer : look)(directory, name);
        });
  // The topmost layer that says something about the file decides.
  const found = (name: string): string => {
    for (const one of looks) {
      const text = one(name);
      if (text !== null) return text;
    }
    return "";
  };
  return { passwd: found("passwd"), group: found("group") };
}

/** The layers of the store never change: what was found in them saves each start a dozen calls. */
const inLayers = new Map<string, string | null>();
const MOST = 256;
const LONGEST = 64 * 1024;

function lookInLayer(directory: string, name: string): string | null {
  const key = `${directory}/etc/${name}`;
  const known = inLayers.get(key);
  if (known !== undefined) return known;
  const found = look(directory, name);
  if (found !== null && found.length > LONGEST) return found;
  if (inLayers.size >= MOST) inLayers.clear();
  inLayers.set(key, found);
  return found;
}

/** Null where a directory says nothing of the file. */
function look(directory: string, name: string): string | null {
  const etc = lstatSync(`${directory}/etc`, { throwIfNoEntry: false });
  if (!etc) return null;
  // A whiteout, or a link: nothing below it counts, and it is not followed.
  if (!etc.isDirectory()) return "";
  return read(`${directory}/etc`, name);
}

/** In the topmost layer a process of the container may put links in the way meanwhile: they are not followed then. */
function read(etc: string, name: string): string | null {
  try {
    return opened(etc, O.PATH | O_DIRECTORY, (directory) => {
      const path = `/proc/self/fd/${directory}/${name}`;
      const there = lstatSync(path, { throwIfNoEntry: false });
      if (!there) return null;
      return there.isFile() ? opened(path, O_RDONLY | O_NONBLOCK, textOf) : "";
    });
  } catch (error) {
    if (["ELOOP", "ENOTDIR", "ENOENT"].includes(codeOf(error) ?? "")) return "";
    throw error;
  }
}

function textOf(file: number): string {
  const stat = fstatSync(file);
  return stat.isFile() && stat.size <= MAX ? readFileSync(file, "utf8") : "";
}

function opened<T>(path: string, flags: number, use: (descriptor: number) => T): T {
  const descriptor = openSync(path, flags | O_NOFOLLOW);
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
