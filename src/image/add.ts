import { type ChainId, chainsOf, type DiffId, type Digest } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import type { ImageConfig } from "../oci/image.ts";
import { MEDIA } from "../oci/media.ts";
import type { Bytes } from "../storage/driver.ts";
import type { StagedBlob } from "./blobs.ts";
import { type Compression, decompress, sniffed } from "./compression.ts";
import { type Context, tellImage } from "./context.ts";
import type { Naming, StoredLayer } from "./images.ts";
import { nameFrom, shown } from "./lookup.ts";
import type { LayerBlob, LayerRef } from "./store.ts";

const LAYER_TYPES: Partial<Record<Compression, string>> = {
  none: MEDIA.ociLayer,
  gzip: MEDIA.ociLayerGzip,
  zstd: MEDIA.ociLayerZstd,
};

/**
 * Unpacks a layer and keeps its archive, in one pass over the stream. The archive is kept as it came where OCI has a
 * media type for its compression, uncompressed otherwise.
 */
export async function addLayer(
  context: Context,
  parent: ChainId | undefined,
  archive: Bytes,
  expected?: DiffId,
): Promise<StoredLayer> {
  const { blobs, driver, holds, fresh } = context;
  const { stream, compression } = await sniffed(archive);
  const mediaType = LAYER_TYPES[compression];
  const release = parent === undefined ? () => {} : holds.hold(parent);
  const blob = blobs.tee(mediaType === undefined ? decompress(stream, compression) : stream);
  let staged: StagedBlob | undefined;
  const held: (() => void)[] = [];
  try {
    const count = { bytes: 0 };
    const tar = counted(mediaType === undefined ? blob.stream : decompress(blob.stream, compression), count);
    const layer = await driver.apply(parent, tar, expected);
    // From here on nobody collects it, though no image names it yet.
    held.push(holds.hold(layer.chainId));
    staged = await blob.staged();
    held.push(holds.hold(staged.digest));
    staged.commit();
    const { digest, size } = staged;
    const { chainId, diffId } = layer;
    fresh.set(diffId, { digest, size, mediaType: mediaType ?? MEDIA.ociLayer, tarSize: count.bytes });
    return {
      chainId,
      diffId,
      size: layer.size,
      release() {
        fresh.delete(diffId);
        for (const release of held) release();
      },
    };
  } catch (error) {
    for (const release of held) release();
    throw error;
  } finally {
    blob.discard();
    staged?.discard();
    release();
  }
}

/** An image from layers that are there already; gives it a name if one is wanted. */
export async function createImage(
  context: Context,
  config: ImageConfig,
  options: Naming & { readonly parent?: Digest; readonly tell?: "create" } = {},
): Promise<Digest> {
  const { store, blobs, holds } = context;
  const name = nameFrom(options);
  const layers = layersOf(context, config.rootfs.diff_ids);
  const id = await blobs.put(JSON.stringify(config));
  const release = holds.hold(id);
  try {
    const known = store.images.get(id);
    if (known === undefined) {
      store.put({ id, layers, ...(options.parent === undefined ? {} : { parent: options.parent }) }, config);
    }
    if (options.tell) tellImage(context, options.tell, id);
    if (name !== undefined) nameImage(context, name, id);
    return id;
  } finally {
    release();
  }
}

/** Gives a canonical name to an image; another image loses it. */
export function nameImage(context: Context, name: string, id: Digest): void {
  context.store.name(name, id);
  tellImage(context, "tag", id, shown(name));
}

/** Where the layers of an image are; refuses one that is not there. */
function layersOf(context: Context, diffs: readonly DiffId[]): LayerRef[] {
  const chains = chainsOf(diffs);
  const known = new Map<DiffId, LayerRef>();
  for (const image of context.store.images.values())
    for (const layer of image.layers) known.set(layer.diffId, layer);
  return diffs.map((diffId, i) => {
    const chainId = chains[i]!;
    if (!context.driver.hasLayer(chainId)) {
      throw new Refusal("failed", `Cannot make an image: its layer ${diffId} is not stored`);
    }
    const blob: LayerBlob | undefined = context.fresh.get(diffId) ?? known.get(diffId)?.blob;
    return { diffId, chainId, ...(blob === undefined ? {} : { blob }) };
  });
}

async function* counted(source: Bytes, count: { bytes: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    count.bytes += chunk.length;
    yield chunk;
  }
}
