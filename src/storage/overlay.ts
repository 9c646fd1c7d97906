import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";

import { toByteText } from "../image/tar/entry.ts";
import { unpack } from "../image/tar/unpack.ts";
import { type ChainId, chainOf, type DiffId, digestOf, finishDigest } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import { overlayChanges } from "./changes.ts";
import type { AppliedLayer, Bytes, Rootfs, SnapshotDriver } from "./driver.ts";
import { hideInUpper, hidingLayer } from "./hiding.ts";
import type { RunPlan } from "./kernel.ts";
import { syncPlan } from "./kernel.ts";
import { type LayerStore, openLayers } from "./layers.ts";
import { type MergedView, mergedView, type StackedDirectory } from "./merged.ts";
import { packUpper } from "./pack.ts";
import { openWritables } from "./writables.ts";

/** More layers than this one mount cannot stack (OVL_MAX_STACK is 500; Docker's own bound is 125 and a few). */
const DEPTH_MAX = 127;

/** Layers as directories that the kernel's overlay file system stacks. `base` is absolute and the driver's own. */
export function openOverlay(base: string, runPlan: RunPlan): SnapshotDriver {
  const store = openLayers(base);
  const writables = openWritables(base);

  function lowerOf(chain: ChainId | undefined): string[] {
    const lower: string[] = [];
    for (let at = chain; at !== undefined; ) {
      const record = store.get(at);
      if (record === undefined) throw new Refusal("notFound", `Cannot find layer ${at}: it is not stored`);
      // What an adopted layer hides is hidden in the upper directory.
      lower.push(...(record.below ?? [store.path(at)]));
      at = record.parent;
    }
    return lower;
  }
  /** What containers on top of `chain` see. */
  function viewOf(chain: ChainId | undefined): MergedView {
    const directories: StackedDirectory[] = [];
    for (let at = chain; at !== undefined; at = store.get(at)?.parent) {
      const { opaque = [], below = [] } = store.get(at) ?? {};
      directories.push({ path: join(base, store.path(at)), opaque: new Set(opaque) });
      directories.push(...below.map((path) => ({ path })));
    }
    return mergedView(directories);
  }
  const absolute = (path: string): string => (path.startsWith("/") ? path : join(base, path));

  function rootfs(id: string): Rootfs {
    const { chain, volatile } = writables.get(id);
    const lower = lowerOf(chain);
    return {
      kind: "overlay",
      base,
      lower: lower.length === 0 ? [writables.empty] : lower,
      upper: `${writables.path(id)}/fs`,
      work: `${writables.path(id)}/work`,
      ...(volatile ? { volatile } : {}),
    };
  }
  const upperOf = (id: string): string => join(base, writables.path(writables.get(id).id), "fs");

  /** Marks in a snapshot's upper directory that nobody in the container made. */
  const hiddenIn = (id: string): ReadonlySet<string> => {
    const { chain } = writables.get(id);
    return new Set((chain === undefined ? undefined : store.get(chain))?.hidden?.map(toByteText));
  };
  /** Lower directories must not lie in one another: on one file system everything lies in "/". */
  const refuseOverlap = (parent: ChainId | undefined): void => {
    for (const path of lowerOf(parent)) {
      if (path === "/" && fs.statSync("/").dev === fs.statSync(base).dev) {
        throw new Refusal(
          "unsupported",
          "Cannot put a layer on the image host: the kernel stacks no directories that lie in one another; use an engine root on another file system than /",
        );
      }
    }
  };

  return {
    name: "overlay2",
    recover: async () => {
      await store.recover();
      await writables.recover();
    },
    async apply(parent, tar, expected) {
      if (lowerOf(parent).length >= DEPTH_MAX)
        throw new Refusal("invalid", "Cannot add a layer: max depth exceeded");
      refuseOverlap(parent);
      const lower = viewOf(parent);
      const below = parent === undefined ? undefined : join(base, store.path(parent));
      return await applyLayer({ store, parent, tar, expected, runPlan, lower, below, whiteouts: "overlay" });
    },
    hasLayer: (chain) => store.get(chain) !== undefined,
    layers: () => store.list(),
    view: viewOf,
    parent: (chain) => store.get(chain)?.parent,
    layerSize: (chain) => store.get(chain)?.size ?? 0,
    removeLayer: (chain) => store.remove(chain),
    async createWritable(id, chain, options) {
      const top = lowerOf(chain)[0];
      const record = chain === undefined ? undefined : store.get(chain);
      const fill = (files: string): void => {
        inheritRoot(files, top === undefined ? undefined : absolute(top));
        if (record?.hidden !== undefined)
          hideInUpper(files, absolute(store.path(record.chainId)), record.hidden);
      };
      writables.create(id, chain, { volatile: options?.volatile === true, fill });
      return rootfs(id);
    },
    rootfs,
    writables: () => writables.list(),
    remove: (id) => writables.remove(id),
    diff: (id) => packUpper(upperOf(id), viewOf(writables.get(id).chain), runPlan, hiddenIn(id)),
    changes: (id) => overlayChanges(upperOf(id), viewOf(writables.get(id).chain), runPlan),
    usage: (id) => writables.usage(id),
    async adopt(chain, directories, hidden) {
      const layer = store.begin();
      try {
        const paths = await hidingLayer(layer.files, directories, hidden, runPlan);
        await store.remove(chain);
        const diffId = chain as unknown as DiffId;
        layer.commit({ chainId: chain, diffId, size: 0, below: directories, hidden: paths });
      } catch (error) {
        layer.discard();
        throw error;
      }
    },
  };
}

/** Everything a driver that keeps layers as directories needs to unpack one. */
export interface ApplyLayer {
  readonly store: LayerStore;
  readonly parent: ChainId | undefined;
  readonly tar: Bytes;
  readonly expected: DiffId | undefined;
  readonly runPlan: RunPlan;
  /** What the layers below show, where the new one is stacked on them. */
  readonly lower?: MergedView;
  /** Files of the layer directly below. */
  readonly below?: string | undefined;
  readonly whiteouts: "overlay" | "remove";
  /** Fills the new directory before the archive is unpacked into it. */
  readonly prepare?: (files: string) => Promise<void>;
}

/** Unpacks under no name, checks, syncs, then names. */
export async function applyLayer(options: ApplyLayer): Promise<AppliedLayer> {
  const { store, parent, expected, runPlan, lower, below, whiteouts } = options;
  const layer = store.begin();
  try {
    await options.prepare?.(layer.files);
    inheritRoot(layer.files, below);
    const hash = createHash("sha256");
    const inherit = (path: string): fs.Stats | undefined => {
      const stat = lower?.lookup(path)?.stat;
      return stat?.isDirectory() === true ? stat : undefined;
    };
    const { size, opaque } = await unpack(hashing(options.tar, hash), layer.files, {
      runPlan,
      whiteouts,
      inherit,
    });
    const diffId = finishDigest(hash) as DiffId;
    if (expected !== undefined && diffId !== expected) {
      throw new Refusal("invalid", `Cannot use the layer: its digest is ${diffId}, not ${expected}`);
    }
    await runPlan(syncPlan(layer.files));
    const chainId = chainOf(parent, diffId);
    const hiding = opaque.length === 0 ? {} : { opaque };
    const record = { chainId, diffId, size, ...hiding, ...(parent === undefined ? {} : { parent }) };
    return { chainId, diffId, size, created: layer.commit(record) };
  } catch (error) {
    layer.discard();
    throw error;
  }
}

async function* hashing(source: Bytes, hash: ReturnType<typeof createHash>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

/** The merged root shows the attributes of the topmost directory, so a new one takes over those below it. */
export function inheritRoot(root: string, below: string | undefined): void {
  if (below === undefined) return;
  const { uid, gid, mode } = fs.lstatSync(below);
  fs.chownSync(root, uid, gid);
  fs.chmodSync(root, mode & 0o7777);
}

/** The chain id that stands for directories which no archive made. */
export function adoptedChain(name: string): ChainId {
  return digestOf(`cais ${name}`) as ChainId;
}
