import { createHash } from "node:crypto";
import type { Image } from "../image/images.ts";
import { readTar } from "../image/tar/read.ts";
import type { Bytes } from "../storage/driver.ts";
import type { Building } from "./building.ts";
import { imageOf, type Stage } from "./stage.ts";

/**
 * The classic builder makes an image of each step, and its cache are those images: a step whose parent has a child
 * made by the same words, with the same configuration, need not be done again. After the first that has to be done,
 * all of them are.
 * @param wanted what the step is known to make of the configuration
 * @returns the stage after the step
 */
export function cached(
  building: Building,
  stage: Stage,
  createdBy: string,
  wanted: Stage,
): Stage | undefined {
  if (!building.caching) return undefined;
  const child = building.options.images.childrenOf(stage.parent).find((image) => {
    if (building.reusable && !building.reusable.has(image.id)) return false;
    const last = image.config.history?.at(-1);
    return (
      last?.created_by === createdBy &&
      looks(image.config.config, image.config.author) === looks(wanted.config, wanted.author)
    );
  });
  if (child === undefined) {
    building.caching = false;
    return undefined;
  }
  building.progress({ stream: " ---> Using cache\n" });
  return { ...wanted, ...stageOf(child) };
}

const stageOf = ({ id, chain, config }: Image): Pick<Stage, "parent" | "chain" | "diffs" | "history"> => ({
  parent: id,
  chain,
  diffs: config.rootfs.diff_ids,
  history: config.history ?? [],
});

/** Makes the image of a step. */
export async function commit({ options: { images } }: Building, stage: Stage): Promise<Stage> {
  const below = stage.parent === undefined ? {} : { parent: stage.parent };
  return { ...stage, parent: await images.create(imageOf(stage), below) };
}

/** The same text for the same value, whatever the order of its fields. */
const looks = (config: unknown, author: string | undefined): string =>
  JSON.stringify([config ?? {}, author ?? ""], (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

/** A digest of what a layer has, its times aside: a fresh checkout of the same files is the same. */
export async function contentHash(tar: Bytes): Promise<string> {
  const hash = createHash("sha256");
  for await (const entry of readTar(tar)) {
    const { type, name, link, mode, uid, gid, size, major, minor, xattrs } = entry;
    const attributes = [...xattrs].map(([key, value]) => [key, Buffer.from(value).toString("hex")]).sort();
    hash.update(JSON.stringify([type, name, link, mode, uid, gid, size, major, minor, attributes]));
    if (type !== "file") continue;
    let at = 0;
    for await (const { offset, bytes } of entry.data()) {
      // Where pieces end is chance; where a hole is, is not.
      if (offset !== at) hash.update(`hole to ${offset}`);
      hash.update(bytes);
      at = offset + bytes.length;
    }
  }
  return hash.digest("hex");
}
