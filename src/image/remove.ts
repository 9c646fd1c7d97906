import { type Digest, shortId } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import { familiarName, parseReference } from "../oci/reference.ts";
import type { ImageDeleted, ImagesPruned } from "../wire/image.ts";
import { collect } from "./collect.ts";
import { type Context, tellImage } from "./context.ts";
import type { Filters } from "./images.ts";
import { createdOf, flag, labelsMatch, timestamp } from "./list.ts";
import { mustFind, namesOf, shown } from "./lookup.ts";
import type { KnownImage } from "./store.ts";

/** Removes a name, and the image with its last name, by Docker's rules. */
export async function removeImage(
  context: Context,
  text: string,
  options: { readonly force?: boolean; readonly noprune?: boolean } = {},
): Promise<ImageDeleted[]> {
  const { image, reference } = mustFind(context, text);
  if (image.builtIn === true) {
    throw new Refusal(
      "conflict",
      "conflict: unable to remove the image host - it is built in, a view of this machine",
    );
  }
  const force = options.force === true;
  const removed: ImageDeleted[] = [];
  if (reference !== undefined) {
    const names = namesOf(context, image.id);
    const [user] = context.usedBy(image.id);
    if (names.length === 1 && user !== undefined && !force) {
      throw new Refusal(
        "conflict",
        `conflict: unable to remove repository reference "${text}" (must force) - container ${shortId(user.id)} is using its referenced image ${shortId(image.id)}`,
      );
    }
    untag(context, reference, image.id, removed);
    if (names.length > 1) return removed;
    // Without its name, what still needs the image keeps it, silently.
    if (
      hardConflict(context, image) !== undefined ||
      (!force && softConflict(context, image) !== undefined)
    ) {
      return removed;
    }
  } else {
    const names = namesOf(context, image.id);
    const oneRepository = new Set(names.map((name) => familiarName(parseReference(name)))).size <= 1;
    const conflict =
      hardConflict(context, image) ??
      (force
        ? undefined
        : oneRepository
          ? softConflict(context, image)
          : conflictOf(image, "must be forced", "image is referenced in multiple repositories"));
    if (conflict !== undefined) throw conflict;
  }
  const parents = forget(context, image, options.noprune !== true, removed);
  const { layers } = await collect(context);
  for (const id of parents) removed.push({ Deleted: id });
  for (const chain of layers) removed.push({ Deleted: chain });
  return removed;
}

function untag(context: Context, name: string, id: Digest, removed: ImageDeleted[]): void {
  context.store.unname(name);
  removed.push({ Untagged: shown(name) });
  tellImage(context, "untag", id);
}

/** Deletes an image's names and document, and those parents that nothing else needs. */
function forget(context: Context, image: KnownImage, prune: boolean, removed: ImageDeleted[]): Digest[] {
  const gone: Digest[] = [];
  for (let at: KnownImage | undefined = image; at !== undefined; ) {
    for (const name of namesOf(context, at.id)) untag(context, name, at.id, removed);
    context.store.delete(at.id);
    tellImage(context, "delete", at.id);
    gone.push(at.id);
    const parent: KnownImage | undefined =
      at.parent === undefined ? undefined : context.store.images.get(at.parent);
    const needed: boolean =
      parent === undefined ||
      parent.builtIn === true ||
      namesOf(context, parent.id).length > 0 ||
      context.usedBy(parent.id).length > 0 ||
      hasChildren(context, parent.id);
    at = prune && !needed ? parent : undefined;
  }
  return gone;
}

function hasChildren(context: Context, id: Digest): boolean {
  return [...context.store.images.values()].some((image) => image.parent === id);
}

function hardConflict(context: Context, image: KnownImage): Refusal | undefined {
  if (hasChildren(context, image.id))
    return conflictOf(image, "cannot be forced", "image has dependent child images");
  const running = context.usedBy(image.id).find((user) => user.running);
  if (running === undefined) return undefined;
  return conflictOf(
    image,
    "cannot be forced",
    `image is being used by running container ${shortId(running.id)}`,
  );
}

function softConflict(context: Context, image: KnownImage): Refusal | undefined {
  const [user] = context.usedBy(image.id);
  if (user === undefined) return undefined;
  return conflictOf(image, "must be forced", `image is being used by stopped container ${shortId(user.id)}`);
}

function conflictOf(image: KnownImage, force: string, why: string): Refusal {
  return new Refusal("conflict", `conflict: unable to delete ${shortId(image.id)} (${force}) - ${why}`);
}

/** `POST /images/prune`: what no container and no name needs; with `dangling=false` names do not count. */
export async function pruneImages(context: Context, filters: Filters = {}): Promise<ImagesPruned> {
  const known = ["dangling", "label", "label!", "until"];
  const unknown = Object.keys(filters).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Refusal("invalid", `invalid filter '${unknown}'`);
  const danglingOnly = flag(filters.dangling, "dangling") ?? true;
  const until = filters.until?.map(timestamp) ?? [];
  const removed: ImageDeleted[] = [];
  for (let again = true; again; ) {
    again = false;
    for (const image of [...context.store.images.values()]) {
      if (image.builtIn === true || context.usedBy(image.id).length > 0 || hasChildren(context, image.id))
        continue;
      if (danglingOnly && namesOf(context, image.id).length > 0) continue;
      if (!labelsMatch(image.config.config?.Labels ?? {}, filters)) continue;
      if (until.some((limit) => createdOf(image) >= limit)) continue;
      for (const id of forget(context, image, false, removed)) removed.push({ Deleted: id });
      again = true;
    }
  }
  const { layers, size } = await collect(context);
  for (const chain of layers) removed.push({ Deleted: chain });
  context.onEvent("prune", "", { reclaimed: String(size) });
  return { ImagesDeleted: removed.length === 0 ? null : removed, SpaceReclaimed: size };
}
