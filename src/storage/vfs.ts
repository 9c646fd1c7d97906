import * as fs from "node:fs";
import { join } from "node:path";
import { directoryStack, openRoot } from "../image/tar/beneath.ts";
import { lstat } from "../image/tar/directories.ts";
import { type ByteText, fsPath, toByteText } from "../image/tar/entry.ts";
import { packTree } from "../image/tar/pack.ts";
import { unpack } from "../image/tar/unpack.ts";
import { listTree, statIn } from "../image/tar/walk.ts";
import { WHITEOUT } from "../image/tar/whiteout.ts";
import { encodeHeader, PLAIN } from "../image/tar/write.ts";
import type { ChainId } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import { changeList } from "./changes.ts";
import type { Bytes, Change, SnapshotDriver } from "./driver.ts";
import type { RunPlan } from "./kernel.ts";
import { openLayers } from "./layers.ts";
import { mergedView } from "./merged.ts";
import { applyLayer } from "./overlay.ts";
import { openWritables } from "./writables.ts";

/** Every layer and every snapshot is a whole copy: slow and large, but it needs nothing of the file system. */
export function openVfs(base: string, runPlan: RunPlan): SnapshotDriver {
  const store = openLayers(base);
  const writables = openWritables(base);

  function filesOf(chain: ChainId | undefined): string | undefined {
    if (chain === undefined) return undefined;
    if (store.get(chain) === undefined)
      throw new Refusal("notFound", `Cannot find layer ${chain}: it is not stored`);
    return join(base, store.path(chain));
  }
  const snapshot = (id: string): string => join(base, writables.path(writables.get(id).id), "fs");
  const copy = async (from: string | undefined, to: string): Promise<void> => {
    if (from !== undefined) await unpack(packTree(from, { runPlan }), to, { runPlan, whiteouts: "plain" });
  };

  return {
    name: "vfs",
    recover: async () => {
      await store.recover();
      await writables.recover();
    },
    async apply(parent, tar, expected) {
      const below = filesOf(parent);
      const prepare = (files: string): Promise<void> => copy(below, files);
      return await applyLayer({
        store,
        parent,
        tar,
        expected,
        runPlan,

        whiteouts: "remove",
        prepare,
      });
    },
    hasLayer: (chain) => store.get(chain) !== undefined,
    layers: () => store.list(),
    view(chain) {
      const files = filesOf(chain);
      return mergedView(files === undefined ? [] : [{ path: files }]);
    },
    parent: (chain) => store.get(chain)?.parent,
    layerSize: (chain) => store.get(chain)?.size ?? 0,
    removeLayer: (chain) => store.remove(chain),
    async createWritable(id, chain) {
      await writables.createFrom(id, chain, (files) => copy(filesOf(chain), files));
      return { kind: "directory", path: snapshot(id) };
    },
    rootfs: (id) => ({ kind: "directory", path: snapshot(id) }),
    writables: () => writables.list(),
    remove: (id) => writables.remove(id),
    diff: (id) => packDifference(snapshot(id), filesOf(writables.get(id).chain), runPlan),
    changes: (id) => differences(snapshot(id), filesOf(writables.get(id).chain)),
    usage: (id) => writables.usage(id),
    async adopt() {
      throw new Refusal(
        "unsupported",
        "Cannot use this machine's own files as an image: the vfs driver would copy them",
      );
    },
  };
}

/** What differs between a directory and the one it was copied from. */
async function differences(now: string, before: string | undefined): Promise<Change[]> {
  const changes = changeList();
  for (const [path, kind] of await compare(now, before)) changes.add(path, kind);
  return changes.sorted();
}

async function* packDifference(
  now: string,
  before: string | undefined,
  runPlan: RunPlan,
): Bytes & AsyncGenerator<Uint8Array> {
  const changed = await compare(now, before);
  const needed = new Set<string>();
  for (const [path, kind] of changed) {
    if (kind === 2) {
      const slash = path.lastIndexOf("/") + 1;
      const name = (path.slice(0, slash) + WHITEOUT + path.slice(slash)) as ByteText;
      yield encodeHeader({ ...PLAIN, mode: 0, name });
    } else
      for (let at = path.length; at > 0; at = path.lastIndexOf("/", at - 1)) needed.add(path.slice(0, at));
  }
  yield* packTree(now, {
    runPlan,
    withoutRoot: true,
    choose: (path) => (needed.has(path) ? "keep" : "omit"),
  });
}

/** Paths by what happened to them: 0 modified, 1 added, 2 deleted. Below a deleted directory nothing is listed. */
async function compare(now: string, before: string | undefined): Promise<Map<string, Change["Kind"]>> {
  const result = new Map<string, Change["Kind"]>();
  const root = openRoot(now);
  const stack = directoryStack(root);
  try {
    for (const { parts, names } of await listTree(root)) {
      const old = before === undefined ? undefined : `${toByteText(before)}/${parts.join("/")}`;
      const oldNames = old !== undefined && lstatSafe(old)?.isDirectory() === true ? readNames(old) : [];
      for (const name of names) {
        const path = [...parts, name].join("/");
        const stat = statIn(stack.at(parts), name);
        const was = oldNames.includes(name) ? lstatSafe(`${old}/${name}`) : undefined;
        if (stat === undefined) continue;
        if (was === undefined) result.set(path, 1);
        else if (!same(stat, was)) result.set(path, 0);
      }
      const present = new Set<string>(names);
      for (const name of oldNames) if (!present.has(name)) result.set([...parts, name].join("/"), 2);
    }
  } finally {
    stack.close();
    fs.closeSync(root);
  }
  return result;
}

function same(a: fs.Stats, b: fs.Stats): boolean {
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return false;
  return Math.abs(a.mtimeMs - b.mtimeMs) < 1 && (a.isDirectory() || a.size === b.size);
}

function lstatSafe(path: string): fs.Stats | undefined {
  try {
    return lstat(path);
  } catch {
    return undefined;
  }
}

function readNames(path: string): string[] {
  return fs.readdirSync(fsPath(path), { encoding: "buffer" }).map((name) => name.toString("latin1"));
}
