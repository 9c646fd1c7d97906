import { isUp } from "../../container/lifecycle.ts";
import type { ImageUser, ImportOptions, Naming, Progress } from "../../image/images.ts";
import type { PruneReport, RemovedItem } from "../../image/summary.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Bytes } from "../../storage/driver.ts";
import type { Engine } from "../engine.ts";
import type { Filters } from "../volumes.ts";

/** The containers that hold an image: what the image store asks before it removes one. */
export function imageUsers(engine: Pick<Engine, "containers">, image: Digest): ImageUser[] {
  const users: ImageUser[] = [];
  for (const { record } of engine.containers.values()) {
    if (record.image === image) users.push({ id: record.id, running: isUp(record.state.status) });
  }
  return users;
}

/** An event of an image, under the name that was used. */
function tell(engine: Engine, action: string, id: string, name: string): void {
  engine.events.emit("image", action, id, { ...engine.images.find(id)?.config.config?.Labels, name });
}

export async function importImage(engine: Engine, tar: Bytes, options: ImportOptions): Promise<Digest> {
  const id = await engine.images.import(tar, options);
  tell(engine, "import", id, id);
  return id;
}

export async function loadImages(engine: Engine, tar: Bytes, progress: Progress): Promise<void> {
  for (const id of await engine.images.load(tar, progress)) tell(engine, "load", id, id);
}

export async function* saveImages(engine: Engine, names: readonly string[]): AsyncGenerator<Uint8Array> {
  yield* engine.images.save(names);
  for (const name of names) {
    const image = engine.images.find(name);
    if (image) tell(engine, "save", image.id, image.id);
  }
}

export async function tagImage(engine: Engine, name: string, naming: Naming): Promise<void> {
  const { id } = engine.images.get(name);
  await engine.images.tag(name, naming);
  tell(engine, "tag", id, naming.tag ? `${naming.repo}:${naming.tag}` : (naming.repo ?? ""));
}

export async function removeImage(
  engine: Engine,
  name: string,
  options: { readonly force: boolean; readonly noprune: boolean },
): Promise<RemovedItem[]> {
  const { id } = engine.images.get(name);
  const removed = await engine.images.remove(name, options);
  for (const item of removed) {
    if ("Untagged" in item) engine.events.emit("image", "untag", id, { name: id });
    else engine.events.emit("image", "delete", item.Deleted, { name: item.Deleted });
  }
  return removed;
}

export async function pruneImages(engine: Engine, filters: Filters): Promise<PruneReport> {
  const report = await engine.images.prune(filters);
  engine.events.emit("image", "prune", "", { reclaimed: String(report.SpaceReclaimed) });
  return report;
}
