import * as fs from "node:fs";
import { lstat } from "../image/tar/directories.ts";
import { type ByteText, byteText, fsPath, toByteText } from "../image/tar/entry.ts";
import { namesIn } from "./usage.ts";

/** One directory of a stack. */
export interface StackedDirectory {
  /** Absolute. */
  readonly path: string;
  /** Directories in it that hide everything below them. */
  readonly opaque?: ReadonlySet<string>;
}

/** Something in the merged view. */
export interface MergedEntry {
  readonly stat: fs.Stats;
  /** Where it really is. */
  readonly file: string;
}

/** Read-only view of stacked directories without a mount. Paths are relative, without links unless it says so. */
export interface MergedView {
  lookup(path: string): MergedEntry | undefined;
  /** Names in a directory, unsorted. */
  names(path: string): string[];
  /** Follows links inside of the view; the path it ends at, whether anything is there or not. */
  resolve(path: string): string;
}

const LINKS_MAX = 40;

/** Directories topmost first. Whiteouts and opaque directories hide as the kernel's overlay does it. */
export function mergedView(directories: readonly StackedDirectory[]): MergedView {
  const stack = directories.map(({ path, opaque }) => ({ path: toByteText(path), opaque }));

  function lookup(path: string): MergedEntry | undefined {
    const parts = path.split("/");
    for (const { path: base, opaque } of stack) {
      let hides = false;
      for (let depth = 1; depth <= parts.length; depth++) {
        const inside = parts.slice(0, depth).join("/");
        const file = `${base}/${inside}`;
        const stat = lstatInside(file);
        if (stat === undefined) break;
        if (isMark(stat)) return undefined;
        if (depth === parts.length) return { stat, file };
        if (!stat.isDirectory()) return undefined;
        hides ||= opaque?.has(inside) === true;
      }
      if (hides) return undefined;
    }
    return undefined;
  }

  return {
    lookup,
    names(path) {
      const names = new Set<string>();
      for (const { path: base, opaque } of stack) {
        const directory = path === "" ? base : `${base}/${path}`;
        if (lstatInside(directory)?.isDirectory() === true)
          for (const name of namesIn(directory)) names.add(name);
        if (path !== "" && opaque?.has(path) === true) break;
      }
      return [...names].filter((name) => lookup(path === "" ? name : `${path}/${name}`) !== undefined);
    },
    resolve(path) {
      const todo = path.split("/").reverse();
      const at: string[] = [];
      let links = 0;
      for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
        if (part === "" || part === ".") continue;
        if (part === "..") {
          at.pop();
          continue;
        }
        const entry = lookup([...at, part].join("/"));
        if (entry?.stat.isSymbolicLink() === true && links++ < LINKS_MAX) {
          const target = byteText(fs.readlinkSync(fsPath(entry.file), { encoding: "buffer" }));
          if (target.startsWith("/")) at.length = 0;
          todo.push(...(target.split("/").reverse() as ByteText[]));
        } else at.push(part);
      }
      return at.join("/");
    },
  };
}

function lstatInside(path: string): fs.Stats | undefined {
  try {
    return lstat(path);
  } catch {
    // A parent that is no directory (ENOTDIR) has nothing in it.
    return undefined;
  }
}

/** The overlay's mark of a removed name: a character device 0:0. */
export function isMark(stat: fs.Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}
