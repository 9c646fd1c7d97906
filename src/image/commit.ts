import type { Digest } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import type { ImageConfig } from "../oci/image.ts";
import { addLayer, createImage } from "./add.ts";
import { applyChanges } from "./change.ts";
import type { Context } from "./context.ts";
import type { CommitOptions } from "./images.ts";
import { nameFrom } from "./lookup.ts";
import { hostPlatform } from "./platform.ts";

/** `docker commit`: what a container changed becomes a layer on top of its image. */
export async function commitSnapshot(context: Context, options: CommitOptions): Promise<Digest> {
  nameFrom(options);
  const config = applyChanges(options.config, options.changes ?? []);
  const base = context.store.images.get(options.image);
  // Docker too: without its image a container can no longer be committed.
  if (base === undefined) throw new Refusal("notFound", `No such image: ${options.image}`);
  const parent = base.layers.at(-1)?.chainId;
  const layer = await addLayer(context, parent, context.driver.diff(options.snapshot));
  try {
    const created = new Date().toISOString();
    const { author, comment } = options;
    const image: ImageConfig = {
      ...hostPlatform(),
      architecture: base.config.architecture,
      ...(base.config.variant === undefined ? {} : { variant: base.config.variant }),
      created,
      ...(author === undefined || author === "" ? {} : { author }),
      config,
      rootfs: { type: "layers", diff_ids: [...base.config.rootfs.diff_ids, layer.diffId] },
      history: [
        ...(base.config.history ?? []),
        {
          created,
          ...(options.createdBy === undefined ? {} : { created_by: options.createdBy }),
          ...(author === undefined || author === "" ? {} : { author }),
          ...(comment === undefined || comment === "" ? {} : { comment }),
        },
      ],
      ...(comment === undefined || comment === "" ? {} : { comment }),
    };
    return await createImage(context, image, { ...options, parent: base.id });
  } finally {
    layer.release();
  }
}
