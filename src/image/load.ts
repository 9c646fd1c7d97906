import { chainsOf, type Digest, digestOf } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import { CONFIG_MAX, parseImageConfig } from "../oci/image.ts";
import { isFor, type PlatformName } from "../oci/platform.ts";
import { canonical, parseReference, withDefaultTag } from "../oci/reference.ts";
import type { Bytes } from "../storage/driver.ts";
import { addLayer } from "./add.ts";
import { decompressed } from "./compression.ts";
import { type Context, tellImage } from "./context.ts";
import { HOST_NAME } from "./host.ts";
import type { Progress } from "./images.ts";
import { type ArchivedImage, archivedImages } from "./layout.ts";
import { shown } from "./lookup.ts";
import { type Staged, stageArchive } from "./staged.ts";
import type { LayerBlob } from "./store.ts";

/**
 * `docker load`. The archive's files are written to temporary blobs as they come (their order is anybody's guess),
 * then checked and made images one by one; names are given last. An archive with an error leaves nothing.
 */
export async function loadImages(
  context: Context,
  archive: Bytes,
  progress: Progress = () => {},
  platform?: PlatformName,
): Promise<Digest[]> {
  const { stream } = await decompressed(archive);
  const staged = await stageArchive(context.blobs, stream);
  const releases: (() => void)[] = [];
  try {
    const images = await archivedImages(staged);
    const made: { readonly id: Digest; readonly names: readonly string[] }[] = [];
    for (const image of images) {
      const one = await loadOne(context, staged, image, releases, platform);
      if (one) made.push(one);
    }
    for (const { id, names } of made) {
      // Docker tells of what was loaded, not of its names.
      for (const name of names) context.store.name(name, id);
      for (const name of names) progress({ stream: `Loaded image: ${shown(name)}\n` });
      if (names.length === 0) progress({ stream: `Loaded image ID: ${id}\n` });
      tellImage(context, "load", id);
    }
    return made.map(({ id }) => id);
  } finally {
    for (const release of releases) release();
    staged.discard();
  }
}

async function loadOne(
  context: Context,
  staged: Staged,
  archived: ArchivedImage,
  releases: (() => void)[],
  platform: PlatformName | undefined,
): Promise<{ id: Digest; names: string[] } | null> {
  const bytes = await staged.document(archived.config, CONFIG_MAX);
  const id = digestOf(bytes);
  if (archived.id !== undefined && archived.id !== id) {
    throw new Refusal("invalid", `Cannot load: ${archived.config} has digest ${id}, not ${archived.id}`);
  }
  const names = archived.names.map(nameOf);
  const config = parseImageConfig(bytes, archived.config);
  if (platform && !isFor(config, platform)) return null;
  const diffs = config.rootfs.diff_ids;
  if (config.os !== "linux")
    throw new Refusal("invalid", `Cannot load: the image is for ${config.os}, not for linux`);
  if (diffs.length !== archived.layers.length) {
    throw new Refusal(
      "invalid",
      `invalid manifest, layers length mismatch: expected ${archived.layers.length}, got ${diffs.length}`,
    );
  }
  const chains = chainsOf(diffs);
  for (const [i, diff] of diffs.entries()) {
    const known = context.driver.hasLayer(chains[i]!) ? blobKnown(context, diff) : undefined;
    releases.push(context.holds.hold(chains[i]!, ...(known === undefined ? [] : [known.digest])));
    if (known !== undefined) continue;
    const layer = await addLayer(context, chains[i - 1], staged.open(archived.layers[i]!), diff);
    releases.push(() => layer.release());
  }
  releases.push(context.holds.hold(id));
  await context.blobs.put(bytes);
  if (!context.store.images.has(id)) {
    const layers = diffs.map((diffId, i) => {
      const blob = context.fresh.get(diffId) ?? blobKnown(context, diffId);
      return { diffId, chainId: chains[i]!, ...(blob === undefined ? {} : { blob }) };
    });
    context.store.put({ id, layers }, config);
  }
  return { id, names };
}

function blobKnown(context: Context, diff: string): LayerBlob | undefined {
  for (const image of context.store.images.values()) {
    for (const layer of image.layers)
      if (layer.diffId === diff && layer.blob !== undefined) return layer.blob;
  }
  return undefined;
}

function nameOf(text: string): string {
  const name = canonical(withDefaultTag(parseReference(text)));
  if (name === HOST_NAME) {
    throw new Refusal("conflict", "Cannot load: the archive names an image host:latest, which is built in");
  }
  return name;
}
