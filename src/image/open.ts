import * as fs from "node:fs";
import { join } from "node:path";
import type { Digest } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import type { SnapshotDriver } from "../storage/driver.ts";
import type { RunPlan } from "../storage/kernel.ts";
import { openOverlay } from "../storage/overlay.ts";
import { openVfs } from "../storage/vfs.ts";
import { addLayer, createImage, nameImage } from "./add.ts";
import { openBlobs } from "./blobs.ts";
import { collect } from "./collect.ts";
import { commitSnapshot } from "./commit.ts";
import { type Context, type OnImageEvent, openHolds } from "./context.ts";
import { addHostImage } from "./host.ts";
import type { Image, Images, ImageUser } from "./images.ts";
import { importImage } from "./import.ts";
import { historyOf, inspectImage } from "./inspect.ts";
import { listImages } from "./list.ts";
import { loadImages } from "./load.ts";
import { type Found, find, mustFind, nameFrom, namesOf, shown } from "./lookup.ts";
import { pruneImages, removeImage } from "./remove.ts";
import { repairLayers } from "./repair.ts";
import { saveImages } from "./save.ts";
import { openStore } from "./store.ts";

export interface ImagesOptions {
  /** Absolute; the engine's `--root`. */
  readonly root: string;
  readonly runPlan: RunPlan;
  /** Paths the built-in image does not show: the engine's root and run directories. */
  readonly hidden?: readonly string[];
  /** "overlay2" unless given; or a driver of the caller's. */
  readonly driver?: "overlay2" | "vfs" | SnapshotDriver;
  /** Containers made from an image; asked at every removal. */
  readonly usedBy?: (id: Digest) => readonly ImageUser[];
  readonly onEvent?: OnImageEvent;
}

/**
 * Opens the images below a root directory: what an earlier process left half made is removed, damaged documents
 * are listed by `damaged`, and the built-in image is made.
 */
export async function createImages(options: ImagesOptions): Promise<Images> {
  const { root, runPlan } = options;
  fs.mkdirSync(root, { recursive: true, mode: 0o711 });
  const driver = openDriver(options);
  await driver.recover();
  const blobs = openBlobs(root);
  const context: Context = {
    store: openStore(root, blobs),
    blobs,
    driver,
    runPlan,
    usedBy: options.usedBy ?? (() => []),
    onEvent: options.onEvent ?? (() => {}),
    holds: openHolds(),
    fresh: new Map(),
  };
  if (driver.name !== "vfs") await addHostImage(context, options.hidden ?? [root]);
  await repairLayers(context);
  await collect(context);

  const imageOf = ({ image }: Found): Image => ({
    id: image.id,
    tags: namesOf(context, image.id).map(shown),
    config: image.config,
    chain: image.layers.at(-1)?.chainId,
    builtIn: image.builtIn === true,
  });
  return {
    driver,
    find(text) {
      const found = find(context, text);
      return found === undefined ? undefined : imageOf(found);
    },
    get: (text) => imageOf(mustFind(context, text)),
    list: (filters) => listImages(context, filters),
    childrenOf: (id) =>
      [...context.store.images.values()]
        .filter(({ parent }) => parent === id)
        .flatMap((image) => {
          const found = find(context, image.id);
          return found === undefined ? [] : [imageOf(found)];
        })
        .sort((a, b) => ((a.config.created ?? "") < (b.config.created ?? "") ? 1 : -1)),
    lineageOf(id) {
      const line: Digest[] = [];
      for (let at: Digest | undefined = id; at; at = context.store.images.get(at)?.parent) line.push(at);
      return line;
    },
    inspect: (text) => inspectImage(context, text),
    history: (text) => historyOf(context, text),
    async tag(text, naming) {
      const { image } = mustFind(context, text);
      const name = nameFrom(naming);
      if (name === undefined) throw new Refusal("invalid", "invalid reference format");
      if (image.builtIn === true) {
        throw new Refusal(
          "unsupported",
          "Cannot tag the image host: it is built in; commit a container of it instead",
        );
      }
      nameImage(context, name, image.id);
    },
    remove: (text, how) => removeImage(context, text, how),
    prune: (filters) => pruneImages(context, filters),
    import: (archive, how) => importImage(context, archive, how),
    load: (archive, progress, platform) => loadImages(context, archive, progress, platform),
    save: (names) => saveImages(context, names),
    commit: (how) => commitSnapshot(context, how),
    create: (config, how) => createImage(context, config, how),
    addLayer: (parent, tar) => addLayer(context, parent, tar),
    damaged: () => context.store.damaged,
  };
}

function openDriver({ driver = "overlay2", root, runPlan }: ImagesOptions): SnapshotDriver {
  if (typeof driver !== "string") return driver;
  const base = join(root, "snapshots", driver);
  fs.mkdirSync(base, { recursive: true, mode: 0o710 });
  return driver === "vfs" ? openVfs(base, runPlan) : openOverlay(base, runPlan);
}
