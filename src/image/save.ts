import { type Digest, digestOf, hexOf } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import { CONFIG_MAX } from "../oci/image.ts";
import type { Descriptor, Manifest } from "../oci/manifest.ts";
import { MEDIA } from "../oci/media.ts";
import { familiarName, parseReference, referenceOf } from "../oci/reference.ts";
import type { Bytes } from "../storage/driver.ts";
import { decompressed } from "./compression.ts";
import { type Context, tellImage } from "./context.ts";
import { find, shown } from "./lookup.ts";
import type { KnownImage, LayerRef } from "./store.ts";
import { type ByteText, toByteText } from "./tar/entry.ts";
import { encodeHeader, endOfArchive, PLAIN, padding } from "./tar/write.ts";

interface Wanted {
  readonly image: KnownImage;
  /** Familiar names that go into the archive. */
  readonly names: string[];
}

/**
 * `docker save`: an archive that is an OCI layout and Docker's format at once, as Docker writes it since version 25
 * (layers uncompressed, named by their diff id). Everything is looked up before the first byte.
 */
export function saveImages(context: Context, texts: readonly string[]): Bytes {
  if (texts.length === 0) throw new Refusal("invalid", "Cannot save: no image was named");
  const wanted = new Map<Digest, Wanted>();
  for (const { text, image, names } of texts.flatMap((one) => meant(context, one))) {
    for (const layer of image.layers) layerBlob(layer, text);
    const entry = wanted.get(image.id) ?? { image, names: [] };
    for (const name of names) if (!entry.names.includes(name)) entry.names.push(name);
    wanted.set(image.id, entry);
  }
  for (const { image } of wanted.values()) tellImage(context, "save", image.id);
  return write(context, [...wanted.values()]);
}

interface Meant extends Wanted {
  readonly text: string;
}

/** An id saves no names, a name without a tag all tags of its repository. */
function meant(context: Context, text: string): Meant[] {
  const found = find(context, text);
  if (found && found.reference === undefined) return [{ text, image: found.image, names: [] }];
  const asked = referenceOf(text);
  const all = asked !== undefined && asked.tag === undefined && asked.digest === undefined;
  const tags = [...(all ? context.store.names : [])].flatMap(([name, id]) => {
    const image = context.store.images.get(id);
    const stored = referenceOf(name);
    const same = stored?.domain === asked?.domain && stored?.path === asked?.path;
    return image && same ? [{ text, image, names: [shown(name)] }] : [];
  });
  if (tags.length > 0) return tags;
  if (!found?.reference) throw new Refusal("notFound", `No such image: ${text.slice(0, 255)}`);
  return [{ text, image: found.image, names: [shown(found.reference)] }];
}

async function* write(context: Context, wanted: readonly Wanted[]): AsyncGenerator<Uint8Array> {
  const release = context.holds.hold(
    ...wanted.flatMap(({ image }) => [
      image.id,
      ...image.layers.flatMap(({ blob }) => (blob ? [blob.digest] : [])),
    ]),
  );
  try {
    yield* directory("blobs/");
    yield* directory("blobs/sha256/");
    const done = new Set<string>();
    const descriptors: Descriptor[] = [];
    for (const { image, names } of wanted) {
      const config = context.blobs.get(image.id, CONFIG_MAX);
      if (!done.has(image.id)) yield* file(blobPath(image.id), config);
      done.add(image.id);
      for (const layer of image.layers) {
        if (done.has(layer.diffId)) continue;
        done.add(layer.diffId);
        yield* layerFile(context, layer);
      }
      const manifest = JSON.stringify(manifestOf(image, config.length));
      const digest = digestOf(manifest);
      if (!done.has(digest)) yield* file(blobPath(digest), Buffer.from(manifest));
      done.add(digest);
      descriptors.push(...descriptorsOf(digest, manifest.length, names));
    }
    yield* file("index.json", json({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests: descriptors }));
    yield* file("manifest.json", json(wanted.map(dockerManifest)));
    yield* file("oci-layout", json({ imageLayoutVersion: "1.0.0" }));
    const repositories = repositoriesOf(wanted);
    if (Object.keys(repositories).length > 0) yield* file("repositories", json(repositories));
    yield endOfArchive();
  } finally {
    release();
  }
}

function layerBlob(layer: LayerRef, name: string): NonNullable<LayerRef["blob"]> {
  if (layer.blob !== undefined) return layer.blob;
  throw new Refusal(
    "unsupported",
    `Cannot save ${name}: it stands on this machine's own files, which are no archive; export a container of it instead`,
  );
}

async function* layerFile(context: Context, layer: LayerRef): AsyncGenerator<Uint8Array> {
  const blob = layerBlob(layer, layer.diffId);
  yield encodeHeader({ ...PLAIN, name: toByteText(blobPath(layer.diffId)), size: blob.tarSize });
  const { stream } = await decompressed(context.blobs.open(blob.digest));
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    yield chunk;
  }
  if (size !== blob.tarSize)
    throw new Refusal("failed", `Cannot save layer ${layer.diffId}: its archive is damaged`);
  yield padding(size);
}

function manifestOf(image: KnownImage, configSize: number): Manifest {
  return {
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config: { mediaType: MEDIA.ociConfig, digest: image.id, size: configSize },
    layers: image.layers.map((layer) => layerDescriptor(layer)),
  };
}

function layerDescriptor(layer: LayerRef): Descriptor {
  return { mediaType: MEDIA.ociLayer, digest: layer.diffId, size: layer.blob?.tarSize ?? 0 };
}

function descriptorsOf(digest: Digest, size: number, names: readonly string[]): Descriptor[] {
  const plain: Descriptor = { mediaType: MEDIA.ociManifest, digest, size };
  if (names.length === 0) return [plain];
  return names.map((name) => {
    const { domain, path, tag = "latest" } = parseReference(name);
    const annotations = {
      "io.containerd.image.name": `${domain}/${path}:${tag}`,
      "org.opencontainers.image.ref.name": tag,
    };
    return { ...plain, annotations };
  });
}

function dockerManifest({ image, names }: Wanted): Record<string, unknown> {
  return {
    Config: blobPath(image.id),
    RepoTags: names.length === 0 ? null : names,
    Layers: image.layers.map((layer) => blobPath(layer.diffId)),
    LayerSources: Object.fromEntries(image.layers.map((layer) => [layer.diffId, layerDescriptor(layer)])),
  };
}

function repositoriesOf(wanted: readonly Wanted[]): Record<string, Record<string, string>> {
  const result: Record<string, Record<string, string>> = {};
  for (const { image, names } of wanted) {
    for (const name of names) {
      const reference = parseReference(name);
      const repository = familiarName(reference);
      const top = image.layers.at(-1)?.diffId ?? image.id;
      result[repository] = { ...result[repository], [reference.tag ?? "latest"]: hexOf(top) };
    }
  }
  return result;
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function* file(name: string, bytes: Uint8Array): Generator<Uint8Array> {
  yield encodeHeader({ ...PLAIN, name: toByteText(name), size: bytes.length });
  yield bytes;
  yield padding(bytes.length);
}

function* directory(name: string): Generator<Uint8Array> {
  yield encodeHeader({ ...PLAIN, type: "directory", name: name as ByteText, mode: 0o755 });
}
