import type { ChainId, Digest } from "../oci/digest.ts";
import type { Context } from "./context.ts";

/** What a collection removed. */
export interface Collected {
  /** Chain ids of layers, topmost first. */
  readonly layers: readonly ChainId[];
  /** Bytes of their files. */
  readonly size: number;
}

/**
 * Removes layers and blobs that no image, container or operation needs. References are counted from the images
 * and snapshots there are, never stored, so a crash cannot make them wrong. While a document is damaged nothing is
 * removed: it may be the one that needs it.
 */
export async function collect(context: Context): Promise<Collected> {
  const { store, driver, blobs, holds } = context;
  if (store.damaged.length > 0) return { layers: [], size: 0 };
  const chains = new Set<ChainId>();
  const keep = (chain: ChainId | undefined): void => {
    for (let at = chain; at !== undefined && !chains.has(at); at = driver.parent(at)) chains.add(at);
  };
  for (const image of store.images.values()) {
    for (const layer of image.layers) keep(layer.chainId);
  }
  for (const { chain } of driver.writables()) keep(chain);
  const all = driver.layers();
  for (const chain of all) if (holds.has(chain)) keep(chain);
  const doomed = all
    .filter((chain) => !chains.has(chain))
    .sort((a, b) => depth(context, b) - depth(context, a));
  const removed: ChainId[] = [];
  let size = 0;
  for (const chain of doomed) {
    // Taken up by an operation that began meanwhile.
    if (holds.has(chain) || named(context, chain)) continue;
    removed.push(chain);
    size += driver.layerSize(chain);
    await driver.removeLayer(chain);
  }
  // What images need now, after the waiting: nothing below waits.
  const content = new Set<Digest>();
  for (const image of store.images.values()) {
    content.add(image.id);
    for (const { blob } of image.layers) if (blob !== undefined) content.add(blob.digest);
  }
  for (const digest of blobs.list()) {
    if (!content.has(digest) && !holds.has(digest)) blobs.remove(digest);
  }
  return { layers: removed, size };
}

function named(context: Context, chain: ChainId): boolean {
  return [...context.store.images.values()].some((image) =>
    image.layers.some((layer) => layer.chainId === chain),
  );
}

function depth(context: Context, chain: ChainId): number {
  let count = 0;
  for (let at: ChainId | undefined = chain; at !== undefined; at = context.driver.parent(at)) count++;
  return count;
}
