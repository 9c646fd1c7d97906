import { type Digest, digestOfHex, hexOf, isId } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import { check, parseJson } from "../oci/json.ts";
import { type Descriptor, MANIFEST_MAX, parseIndex, parseManifest } from "../oci/manifest.ts";
import { isIndexType, isManifestType } from "../oci/media.ts";
import type { Staged } from "./staged.ts";

/** Where an image's parts are in an archive. */
export interface ArchivedImage {
  readonly config: string;
  /** Its id where the archive states it. */
  readonly id?: Digest;
  readonly layers: readonly string[];
  readonly names: readonly string[];
}

const IMAGES_MAX = 10_000;
const LAYERS_MAX = 1024;

/** The images of an archive: Docker's `manifest.json` where there is one, else the OCI layout's index. */
export async function archivedImages(staged: Staged): Promise<ArchivedImage[]> {
  if (staged.manifest !== undefined) {
    verifyBlobNames(staged, parseDocker(staged.manifest));
    return parseDocker(staged.manifest);
  }
  if (staged.index !== undefined) return await fromIndex(staged, staged.index);
  throw new Refusal("invalid", "Cannot load: the archive has neither manifest.json nor index.json");
}

function parseDocker(bytes: Buffer): ArchivedImage[] {
  const list = check.array(parseJson(bytes, bytes.length, "manifest.json"), IMAGES_MAX, "manifest.json");
  return list.map((entry, i) => {
    const what = `manifest.json[${i}]`;
    check.object(entry, what);
    const config = check.text(entry.Config, `${what}: Config`);
    const hex = /^(?:blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/.exec(config)?.[1];
    return {
      config,
      ...(isId(hex) ? { id: digestOfHex(hex) } : {}),
      layers: check.textList(entry.Layers ?? [], LAYERS_MAX, `${what}: Layers`),
      names: entry.RepoTags == null ? [] : check.textList(entry.RepoTags, IMAGES_MAX, `${what}: RepoTags`),
    };
  });
}

/** A file that is named by a digest must have it. */
function verifyBlobNames(staged: Staged, images: readonly ArchivedImage[]): void {
  for (const { config, layers } of images) {
    for (const path of [config, ...layers]) {
      const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
      if (isId(hex)) verify(staged, path, digestOfHex(hex));
    }
  }
}

function verify(staged: Staged, path: string, digest: Digest): void {
  const found = staged.digest(path);
  if (found !== digest)
    throw new Refusal("invalid", `Cannot load: ${path} has digest ${found}, not ${digest}`);
}

async function fromIndex(staged: Staged, bytes: Buffer): Promise<ArchivedImage[]> {
  const images: ArchivedImage[] = [];
  const todo: { descriptor: Descriptor; names: readonly string[] }[] = [];
  for (const descriptor of parseIndex(bytes, "index.json").manifests)
    todo.push({ descriptor, names: nameIn(descriptor) });
  for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
    const { descriptor, names } = next;
    if (images.length + todo.length > IMAGES_MAX)
      throw new Refusal("invalid", "Cannot load: too many images");
    const path = pathOf(descriptor.digest);
    if (isIndexType(descriptor.mediaType)) {
      verify(staged, path, descriptor.digest);
      const index = parseIndex(await staged.document(path, MANIFEST_MAX), path);
      for (const inner of index.manifests) {
        // Of an image for several platforms the archive may hold only some; attestations are no images.
        const runs = inner.platform === undefined || inner.platform.os === "linux";
        if (runs && staged.has(pathOf(inner.digest))) todo.push({ descriptor: inner, names });
      }
    } else if (isManifestType(descriptor.mediaType) || descriptor.mediaType === "") {
      verify(staged, path, descriptor.digest);
      const manifest = parseManifest(await staged.document(path, MANIFEST_MAX), path);
      for (const part of [manifest.config, ...manifest.layers])
        verify(staged, pathOf(part.digest), part.digest);
      images.push({
        config: pathOf(manifest.config.digest),
        id: manifest.config.digest,
        layers: manifest.layers.map((layer) => pathOf(layer.digest)),
        names,
      });
    }
  }
  return images;
}

function nameIn(descriptor: Descriptor): string[] {
  const annotations = descriptor.annotations ?? {};
  const full = annotations["io.containerd.image.name"];
  if (full !== undefined) return [full];
  const short = annotations["org.opencontainers.image.ref.name"];
  // Only a whole name says which repository; a bare tag does not.
  return short !== undefined && /[/:]/.test(short) ? [short] : [];
}

function pathOf(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}
