import type { Digest } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import type { ImageConfig } from "../oci/image.ts";
import { type PlatformName, parsePlatform } from "../oci/platform.ts";
import type { Bytes } from "../storage/driver.ts";
import { addLayer, createImage } from "./add.ts";
import { applyChanges } from "./change.ts";
import { type Context, tellImage } from "./context.ts";
import type { ImportOptions } from "./images.ts";
import { nameFrom } from "./lookup.ts";

/** `docker import`: a root file system becomes an image of one layer. Names and changes are checked first. */
export async function importImage(
  context: Context,
  archive: Bytes,
  options: ImportOptions = {},
): Promise<Digest> {
  nameFrom(options);
  const config = applyChanges({}, options.changes ?? []);
  const platform: PlatformName = parsePlatform(options.platform);
  if (platform.os !== "linux") {
    throw new Refusal("invalid", `operating system "${platform.os}" is not supported: images are for linux`);
  }
  const layer = await addLayer(context, undefined, archive);
  try {
    const created = new Date().toISOString();
    const comment = options.message ?? "";
    const image: ImageConfig = {
      ...platform,
      created,
      config,
      rootfs: { type: "layers", diff_ids: [layer.diffId] },
      history: [{ created, comment: comment === "" ? "Imported from -" : comment }],
      ...(comment === "" ? {} : { comment }),
    };
    const id = await createImage(context, image, options);
    tellImage(context, "import", id);
    return id;
  } finally {
    layer.release();
  }
}
