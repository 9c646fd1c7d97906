import { type Digest, isDigest } from "./digest.ts";
import { check, type Json, parseJson } from "./json.ts";

/** Points at content (OCI image spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
}

/** One image (manifest.md). */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Several images, one a platform (image-index.md). */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Largest manifest or index read: registries refuse bigger ones (distribution spec: 4 MiB). */
export const MANIFEST_MAX = 4 * 1024 * 1024;
/** More layers than any driver can stack. */
const LAYERS_MAX = 1024;

/** Parses and checks a manifest; `what` names it in errors. */
export function parseManifest(bytes: Uint8Array | string, what: string): Manifest {
  const json = parseJson(bytes, MANIFEST_MAX, what);
  check.object(json, what);
  check.equal(json.schemaVersion, 2, `${what}: schemaVersion`);
  const layers = check.array(json.layers, LAYERS_MAX, `${what}: layers`);
  return {
    schemaVersion: 2,
    ...(typeof json.mediaType === "string" ? { mediaType: json.mediaType } : {}),
    config: descriptor(json.config, `${what}: config`),
    layers: layers.map((layer, i) => descriptor(layer, `${what}: layers[${i}]`)),
  };
}

/** Parses and checks an index; `what` names it in errors. */
export function parseIndex(bytes: Uint8Array | string, what: string): Index {
  const json = parseJson(bytes, MANIFEST_MAX, what);
  check.object(json, what);
  check.equal(json.schemaVersion, 2, `${what}: schemaVersion`);
  const manifests = check.array(json.manifests, LAYERS_MAX, `${what}: manifests`);
  return {
    schemaVersion: 2,
    ...(typeof json.mediaType === "string" ? { mediaType: json.mediaType } : {}),
    manifests: manifests.map((entry, i) => descriptor(entry, `${what}: manifests[${i}]`)),
  };
}

function descriptor(value: Json | undefined, what: string): Descriptor {
  check.object(value, what);
  if (!isDigest(value.digest))
    throw new Error(`Cannot read ${what}: digest is not "sha256:" and 64 hexadecimal digits`);
  const size = value.size;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new Error(`Cannot read ${what}: size is not a number of bytes`);
  }
  const mediaType = check.text(value.mediaType ?? "", `${what}: mediaType`);
  const annotations =
    value.annotations == null ? undefined : check.texts(value.annotations, `${what}: annotations`);
  const platform = value.platform == null ? undefined : platformOf(value.platform, what);
  return {
    mediaType,
    digest: value.digest,
    size,
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform }),
  };
}

function platformOf(value: Json, what: string): Platform {
  check.object(value, `${what}: platform`);
  return {
    architecture: check.text(value.architecture ?? "", `${what}: architecture`),
    os: check.text(value.os ?? "", `${what}: os`),
    ...(typeof value.variant === "string" ? { variant: value.variant } : {}),
  };
}
