import type { Digest } from "../oci/digest.ts";
import { EMPTY_CONFIG } from "../wire/empty.ts";
import type { ImageHistoryItem, ImageInspect } from "../wire/image.ts";
import type { Context } from "./context.ts";
import { createdOf, sizeOf } from "./list.ts";
import { mustFind, namesOf, shown } from "./lookup.ts";

/** What of a configuration an image always says; the rest of Docker's fields belong to containers (since API 1.50). */
const { User, Env, Cmd, Volumes, WorkingDir, Entrypoint, OnBuild, Labels } = EMPTY_CONFIG;
const EMPTY = { User, Env, Cmd, Volumes, WorkingDir, Entrypoint, OnBuild, Labels };

const NEVER = "0001-01-01T00:00:00Z";

/** `GET /images/{name}/json`. */
export function inspectImage(context: Context, name: string): ImageInspect {
  const { image } = mustFind(context, name);
  const { config } = image;
  const size = sizeOf(context, image);
  return {
    Id: image.id,
    RepoTags: namesOf(context, image.id).map(shown),
    RepoDigests: [],
    Parent: image.parent ?? "",
    Comment: config.comment ?? config.history?.at(-1)?.comment ?? "",
    Created: config.created ?? NEVER,
    DockerVersion: config.docker_version ?? "",
    Author: config.author ?? "",
    Config: { ...EMPTY, ...config.config },
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: size,
    GraphDriver: { Name: context.driver.name, Data: {} },
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: image.tagged ?? NEVER },
  };
}

/** `GET /images/{name}/history`, newest first. Images built on one another are named where they are known. */
export function historyOf(context: Context, name: string): ImageHistoryItem[] {
  const { image } = mustFind(context, name);
  const entries = image.config.history ?? [];
  const items: ImageHistoryItem[] = [];
  let layer = 0;
  for (const entry of entries) {
    const ref = entry.empty_layer === true ? undefined : image.layers[layer++];
    const created = Date.parse(entry.created ?? "");
    items.push({
      Id: "<missing>",
      Created: Number.isNaN(created) ? 0 : Math.floor(created / 1000),
      CreatedBy: entry.created_by ?? "",
      Tags: null,
      Size: ref === undefined ? 0 : context.driver.layerSize(ref.chainId),
      Comment: entry.comment ?? "",
    });
  }
  if (items.length === 0) {
    const size = sizeOf(context, image);
    items.push({ Id: "", Created: createdOf(image), CreatedBy: "", Tags: null, Size: size, Comment: "" });
  }
  items.reverse();
  let at: Digest | undefined = image.id;
  for (let i = 0; i < items.length && at !== undefined; i++) {
    const names = namesOf(context, at).map(shown);
    items[i] = { ...items[i]!, Id: at, Tags: names.length === 0 ? null : names };
    at = context.store.images.get(at)?.parent;
  }
  return items;
}
