import type { Stats } from "node:fs";
import { closeSync } from "node:fs";
import { openRoot } from "../image/tar/beneath.ts";
import { lstat } from "../image/tar/directories.ts";
import { readable, toByteText } from "../image/tar/entry.ts";
import { listTree } from "../image/tar/walk.ts";
import { readXattrs } from "../image/tar/xattrs.ts";
import type { Change } from "./driver.ts";
import type { RunPlan } from "./kernel.ts";
import { isMark, type MergedView } from "./merged.ts";
import { holdsMountpoints, isMountpoint } from "./mountpoints.ts";
import { isOpaque, OPAQUE_XATTR } from "./pack.ts";

const MODIFIED = 0;
const ADDED = 1;
const DELETED = 2;

/** Gathers changes; what lies above a change counts as modified, as Docker lists it. */
export function changeList(): { add(path: string, kind: Change["Kind"]): void; sorted(): Change[] } {
  const kinds = new Map<string, Change["Kind"]>();
  return {
    add(path, kind) {
      kinds.set(path, kind);
      for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
        const parent = path.slice(0, at);
        if (kinds.has(parent)) break;
        kinds.set(parent, MODIFIED);
      }
    },
    sorted: () =>
      [...kinds]
        .map(([path, kind]): Change => ({ Path: `/${readable(path)}`, Kind: kind }))
        .sort((a, b) => (a.Path < b.Path ? -1 : 1)),
  };
}

/**
 * What an upper directory changes in the view of the layers below it. A directory that was
 * only copied up with what is in it is no change of its own.
 */
export async function overlayChanges(upper: string, lower: MergedView, runPlan: RunPlan): Promise<Change[]> {
  const root = openRoot(upper);
  const changes = changeList();
  try {
    const listings = await listTree(root);
    const xattrs = await readXattrs(root, listings, runPlan, (key) => key === OPAQUE_XATTR);
    const mounted = listings.filter(({ parts, names }) => holdsMountpoints(parts.join("/"), names));
    const held = new Set(mounted.map(({ parts }) => parts.join("/")));
    for (const { parts, names } of listings) {
      const directory = parts.join("/");
      if (parts.length > 0 && isOpaque(xattrs.get(directory))) {
        for (const name of lower.names(directory)) {
          if (!names.includes(name as never)) changes.add(`${directory}/${name}`, DELETED);
        }
      }
      for (const name of names) {
        const path = [...parts, name].join("/");
        const now = lstat(`${toByteText(upper)}/${path}`);
        if (now === undefined) continue;
        const before = lower.lookup(path)?.stat;
        if (isMark(now)) {
          if (before !== undefined) changes.add(path, DELETED);
        } else if (before === undefined) {
          if (!isMountpoint(path, now)) changes.add(path, ADDED);
        } else if (
          !(now.isDirectory() && before.isDirectory() && sameDirectory(now, before, held.has(path)))
        ) {
          changes.add(path, MODIFIED);
        }
      }
    }
  } finally {
    closeSync(root);
  }
  return changes.sorted();
}

/** Docker compares size, mode and time of directories; sizes differ between file systems and say nothing here. */
function sameDirectory(a: Stats, b: Stats, anyTime: boolean): boolean {
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return false;
  return anyTime || Math.abs(a.mtimeMs - b.mtimeMs) < 1;
}
