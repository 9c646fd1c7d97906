import { chainsOf, type Digest } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import { glob } from "../oci/glob.ts";
import { familiarName, parseReference } from "../oci/reference.ts";
import type { ImageSummary } from "../wire/image.ts";
import type { Context } from "./context.ts";
import type { Filters } from "./images.ts";
import { mustFind, namesOf, shown } from "./lookup.ts";
import type { KnownImage } from "./store.ts";

const FILTERS = ["dangling", "label", "label!", "before", "since", "reference", "until"];

/** `GET /images/json`: newest first; images that only others stand on are left out unless `all`. */
export function listImages(
  context: Context,
  options: { readonly all?: boolean; readonly filters?: Filters; readonly shared?: boolean } = {},
): ImageSummary[] {
  const filters = options.filters ?? {};
  const unknown = Object.keys(filters).find((name) => !FILTERS.includes(name));
  if (unknown !== undefined) throw new Refusal("invalid", `invalid filter '${unknown}'`);
  const accepts = filterOf(context, filters);
  const parents = new Set([...context.store.images.values()].map((image) => image.parent));
  const summaries: ImageSummary[] = [];
  for (const image of context.store.images.values()) {
    const names = namesOf(context, image.id).map(shown);
    const intermediate = names.length === 0 && parents.has(image.id);
    if ((intermediate && options.all !== true) || !accepts(image, names)) continue;
    const references = matching(names, filters.reference);
    if (filters.reference !== undefined && references.length === 0) continue;
    summaries.push(summaryOf(context, image, references));
  }
  if (options.shared) {
    const shared = sharedSizes(context);
    for (const [index, summary] of summaries.entries()) {
      summaries[index] = { ...summary, SharedSize: shared(summary.Id) };
    }
  }
  return summaries.sort((a, b) => b.Created - a.Created || (a.Id < b.Id ? -1 : 1));
}

function summaryOf(context: Context, image: KnownImage, names: readonly string[]): ImageSummary {
  const size = sizeOf(context, image);
  return {
    Id: image.id,
    ParentId: image.parent ?? "",
    RepoTags: names,
    RepoDigests: [],
    Created: createdOf(image),
    Size: size,
    SharedSize: -1,
    Labels: image.config.config?.Labels ?? null,
    Containers: context.usedBy(image.id).length,
  };
}

/** Bytes of those layers of an image that other images have too. */
function sharedSizes(context: Context): (id: string) => number {
  const users = new Map<string, number>();
  for (const { config } of context.store.images.values()) {
    for (const chain of chainsOf(config.rootfs.diff_ids)) users.set(chain, (users.get(chain) ?? 0) + 1);
  }
  return (id) => {
    const image = context.store.images.get(id as Digest);
    return chainsOf(image?.config.rootfs.diff_ids ?? [])
      .filter((chain) => (users.get(chain) ?? 0) > 1)
      .reduce((sum, chain) => sum + context.driver.layerSize(chain), 0);
  };
}

/** Bytes of an image's files, all layers. */
export function sizeOf(context: Context, image: KnownImage): number {
  return chainsOf(image.config.rootfs.diff_ids).reduce(
    (sum, chain) => sum + context.driver.layerSize(chain),
    0,
  );
}

/** Seconds since 1970; 0 when the configuration does not say. */
export function createdOf(image: KnownImage): number {
  const time = Date.parse(image.config.created ?? "");
  return Number.isNaN(time) ? 0 : Math.floor(time / 1000);
}

function filterOf(
  context: Context,
  filters: Filters,
): (image: KnownImage, names: readonly string[]) => boolean {
  const dangling = flag(filters.dangling, "dangling");
  const before = filters.before?.map((name) => createdOf(mustFind(context, name).image));
  const since = filters.since?.map((name) => createdOf(mustFind(context, name).image));
  const until = filters.until?.map(timestamp);
  return (image, names) => {
    const created = createdOf(image);
    if (dangling !== undefined && dangling !== (names.length === 0)) return false;
    if (before?.some((limit) => created >= limit) === true) return false;
    if (since?.some((limit) => created <= limit) === true) return false;
    if (until?.some((limit) => created >= limit) === true) return false;
    return labelsMatch(image.config.config?.Labels ?? {}, filters);
  };
}

/** The filters `label` and `label!`: `key` or `key=value`, all of them. */
export function labelsMatch(labels: Readonly<Record<string, string>>, filters: Filters): boolean {
  const has = (wanted: string): boolean => {
    const equals = wanted.indexOf("=");
    if (equals === -1) return Object.hasOwn(labels, wanted);
    const key = wanted.slice(0, equals);
    return Object.hasOwn(labels, key) && labels[key] === wanted.slice(equals + 1);
  };
  return (filters.label ?? []).every(has) && !(filters["label!"] ?? []).some(has);
}

/** A filter that is true or false; undefined when it is not given. */
export function flag(values: readonly string[] | undefined, name: string): boolean | undefined {
  const value = values?.[0];
  if (value === undefined) return undefined;
  if (values && values.length > 1)
    throw new Refusal("invalid", `invalid filter '${name}=[${values.join(" ")}]'`);
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new Refusal("invalid", `invalid filter '${name}=[${value}]'`);
}

/** Seconds since 1970 from a Unix time, RFC 3339, or a duration back from now ("24h"). */
export function timestamp(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
  if (/^(\d+[smh])+$/.test(text)) {
    let seconds = 0;
    for (const [, count, unit] of text.matchAll(/(\d+)([smh])/g))
      seconds += Number(count) * (units[unit!] ?? 0);
    return Date.now() / 1000 - seconds;
  }
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new Refusal("failed", `failed to parse value as time or duration: "${text}"`);
  return time / 1000;
}

/** Names that fit one of the patterns; a pattern without tag fits every tag. */
function matching(names: readonly string[], patterns: readonly string[] | undefined): readonly string[] {
  if (patterns === undefined) return names;
  return names.filter((name) => {
    const repository = familiarName(parseReference(name));
    return patterns.some((pattern) => glob(pattern, name) || glob(pattern, repository));
  });
}
