import * as fs from "node:fs";
import { Refusal } from "../../oci/error.ts";
import { through } from "../tar/beneath.ts";
import { DEFAULT, type Directories, setDirectory } from "../tar/directories.ts";
import type { ByteText } from "../tar/entry.ts";
import { resolveDirectory } from "./resolve.ts";

/** Directories kept open: the one that is written to, and the one a hard link names. */
const OPEN_MAX = 16;

/**
 * Directories beneath `base` in the tree of a container that may be running. Paths it returns lead through
 * descriptors, and stay good for the entry they were asked for.
 */
export function liveDirectories(root: number, base: readonly ByteText[]): Directories & { close(): void } {
  const open = new Map<string, number>();
  const walk = (parents: readonly ByteText[], make: boolean): string => {
    const key = parents.join("/");
    let fd = open.get(key);
    if (fd === undefined) {
      fd = resolveDirectory(root, [...base, ...parents], make ? makeDirectory : undefined).fd;
      const [oldest] = open;
      if (open.size >= OPEN_MAX && oldest !== undefined) {
        fs.closeSync(oldest[1]);
        open.delete(oldest[0]);
      }
    } else open.delete(key);
    open.set(key, fd);
    // "/.": opened without following, the descriptor itself would be a link.
    return `/proc/self/fd/${fd}/.`;
  };
  const forget = (): void => {
    for (const fd of open.values()) fs.closeSync(fd);
    open.clear();
  };
  return {
    ensure: (parents) => walk(parents, true),
    find(parents) {
      try {
        return walk(parents, false);
      } catch (error) {
        if (error instanceof Refusal && error.kind === "notFound") return undefined;
        throw error;
      }
    },
    forget() {},
    close: forget,
  };
}

function makeDirectory(parent: number, name: ByteText): void {
  const path = through(parent, name);
  fs.mkdirSync(path);
  setDirectory(typeof path === "string" ? path : path.toString("latin1"), DEFAULT);
}
