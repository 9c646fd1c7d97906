import { type Digest, isDigest } from "./digest.ts";

/**
 * The name of an image as Docker writes it: `[domain/]path[:tag][@digest]`. The grammar is that of the
 * distribution spec; "familiar" names leave out `docker.io` and `library/`.
 */
export interface Reference {
  /** Registry host with an optional port: `docker.io`. */
  readonly domain: string;
  /** Repository within it: `library/debian`. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const DOMAIN_PART = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const DOMAIN = new RegExp(`^(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?$`);
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
/** Longest repository name, domain included (distribution spec, "Pulling manifests"). */
const NAME_MAX = 255;
/** Bound on what is looked at at all: name, tag and digest. */
const TEXT_MAX = 1024;

const DEFAULT_DOMAIN = "docker.io";
const DEFAULT_NAMESPACE = "library/";
export const DEFAULT_TAG = "latest";

/** A reference that does not follow the grammar; `message` is Docker's. */
export class InvalidReference extends Error {
  override readonly name = "InvalidReference";
}

/** Parses a name as a person types it; `debian` becomes `docker.io/library/debian` without a tag. */
export function parseReference(text: string): Reference {
  if (text === "" || text.length > TEXT_MAX) throw new InvalidReference("invalid reference format");
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw new InvalidReference(
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  const at = text.indexOf("@");
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw new InvalidReference("invalid reference format");
  const named = at === -1 ? text : text.slice(0, at);
  const slash = named.indexOf("/");
  const first = slash === -1 ? "" : named.slice(0, slash);
  const hasDomain =
    slash !== -1 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  let domain = hasDomain ? first : DEFAULT_DOMAIN;
  if (domain === "index.docker.io") domain = DEFAULT_DOMAIN;
  const rest = hasDomain ? named.slice(slash + 1) : named;
  const colon = rest.indexOf(":");
  const tag = colon === -1 ? undefined : rest.slice(colon + 1);
  let path = colon === -1 ? rest : rest.slice(0, colon);
  if (domain === DEFAULT_DOMAIN && !path.includes("/")) path = DEFAULT_NAMESPACE + path;
  if (path !== path.toLowerCase()) {
    throw new InvalidReference(`invalid reference format: repository name (${path}) must be lowercase`);
  }
  if (!DOMAIN.test(domain) || !PATH.test(path) || (tag !== undefined && !TAG.test(tag))) {
    throw new InvalidReference("invalid reference format");
  }
  if (domain.length + 1 + path.length > NAME_MAX) {
    throw new InvalidReference(`repository name must not be more than ${NAME_MAX} characters`);
  }
  return {
    domain,
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest: digest as Digest }),
  };
}

/** As `parseReference`; undefined where the text is no reference. */
export function referenceOf(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

/** The same reference with the tag `latest` where neither tag nor digest is given. */
export function withDefaultTag(reference: Reference): Reference {
  if (reference.tag !== undefined || reference.digest !== undefined) return reference;
  return { ...reference, tag: DEFAULT_TAG };
}

/** The repository as Docker shows it: `debian`, `someone/thing`, `host:5000/thing`. */
export function familiarName(reference: Reference): string {
  if (reference.domain !== DEFAULT_DOMAIN) return `${reference.domain}/${reference.path}`;
  const inLibrary = reference.path.startsWith(DEFAULT_NAMESPACE);
  const short = reference.path.slice(DEFAULT_NAMESPACE.length);
  return inLibrary && !short.includes("/") ? short : reference.path;
}

/** The whole reference as Docker shows it: `debian:12`. */
export function familiar(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}

/** The whole reference with nothing left out: `docker.io/library/debian:12`. */
export function canonical(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffix(reference)}`;
}

function suffix(reference: Reference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  return reference.digest === undefined ? tag : `${tag}@${reference.digest}`;
}
