import { type Digest, digestOfHex, isDigest, isId } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import {
  canonical,
  DEFAULT_TAG,
  familiar,
  InvalidReference,
  parseReference,
  type Reference,
  referenceOf,
  withDefaultTag,
} from "../oci/reference.ts";
import type { Context } from "./context.ts";
import type { Naming } from "./images.ts";
import type { KnownImage } from "./store.ts";

/** What a name given by a person turned out to be. */
export interface Found {
  readonly image: KnownImage;
  /** The stored reference it was found by; absent when it was found by its id. */
  readonly reference?: string;
}

/** Looks an image up as Docker does: whole id, then name (`latest` when without tag), then beginning of an id. */
export function find(context: Context, text: string): Found | undefined {
  const { store } = context;
  const whole = isDigest(text) ? text : isId(text) ? digestOfHex(text) : undefined;
  if (whole !== undefined) {
    const image = store.images.get(whole);
    return image === undefined ? undefined : { image };
  }
  const reference = referenceOf(text);
  if (reference !== undefined) {
    const name = canonical(withDefaultTag(reference));
    const id = store.names.get(name);
    const image = id === undefined ? undefined : store.images.get(id);
    if (image !== undefined) return { image, reference: name };
  }
  const prefix = text.startsWith("sha256:") ? text.slice("sha256:".length) : text;
  if (!/^[0-9a-f]{1,64}$/.test(prefix)) return undefined;
  const matches = [...store.images.values()].filter((image) => image.id.startsWith(`sha256:${prefix}`));
  const [only] = matches;
  return only !== undefined && matches.length === 1 ? { image: only } : undefined;
}

/** As `find`; refuses with Docker's words. */
export function mustFind(context: Context, text: string): Found {
  const found = find(context, text);
  if (found !== undefined) return found;
  const reference = isDigest(text) || isId(text) ? undefined : strictReference(text);
  const shown = reference === undefined ? text : familiar(withDefaultTag(reference));
  throw new Refusal("notFound", `No such image: ${shown}`);
}

/** Canonical names of an image, sorted by how they are shown. */
export function namesOf(context: Context, id: Digest): string[] {
  const names = [...context.store.names].filter(([, named]) => named === id).map(([name]) => name);
  return names.sort((a, b) => (shown(a) < shown(b) ? -1 : 1));
}

/** A stored name as people see it. */
export function shown(name: string): string {
  return familiar(parseReference(name));
}

/** The canonical name that an operation is to give; undefined when it is to give none. */
export function nameFrom(naming: Naming): string | undefined {
  const { repo = "", tag = "" } = naming;
  if (repo === "") return undefined;
  const reference = strictReference(repo);
  if (reference.digest !== undefined) {
    throw new Refusal("invalid", "refusing to create a tag with a digest reference");
  }
  const named: Reference = tag === "" ? withDefaultTag(reference) : tagged(reference, tag);
  const { domain, path } = named;
  if (domain === "docker.io" && path === "library/sha256")
    throw new Refusal("invalid", "refusing to create an ambiguous tag using digest algorithm as name");
  if (domain === "docker.io" && path === "library/host" && (named.tag ?? DEFAULT_TAG) === DEFAULT_TAG) {
    throw new Refusal(
      "conflict",
      "Cannot use the name host:latest: it is the built-in image of this machine",
    );
  }
  return canonical(named);
}

function tagged(reference: Reference, tag: string): Reference {
  try {
    return parseReference(`${bare(reference)}:${tag}`);
  } catch {
    throw new Refusal("invalid", "invalid tag format");
  }
}

function bare(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

function strictReference(text: string): Reference {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof InvalidReference) throw new Refusal("invalid", error.message);
    throw error;
  }
}
