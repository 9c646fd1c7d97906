import type { Digest } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import type { ImageConfig, ImageRunConfig } from "../oci/image.ts";
import { hostPlatform } from "../oci/platform.ts";
import { addLayer, createImage } from "./add.ts";
import { applyChanges } from "./change.ts";
import type { Context } from "./context.ts";
import type { CommitOptions } from "./images.ts";
import { nameFrom } from "./lookup.ts";
import { isEmpty } from "./tar/read.ts";

/** `docker commit`: what a container changed becomes a layer on top of its image. */
export async function commitSnapshot(context: Context, options: CommitOptions): Promise<Digest> {
  nameFrom(options);
  // Without a configuration of the caller's, changes begin with the container's: its PATH, its directory.
  const { Env = [], WorkingDir = "" } = options.config;
  const own = Object.keys(options.asked ?? {}).length > 0 ? options.asked : { Env, WorkingDir };
  const asked = applyChanges(own ?? {}, options.changes ?? []);
  const config = mergeRunConfig(options.config, asked);
  const base = context.store.images.get(options.image);
  // Docker too: without its image a container can no longer be committed.
  if (base === undefined) throw new Refusal("notFound", `No such image: ${options.image}`);
  const parent = base.layers.at(-1)?.chainId;
  // Nothing was changed: the image is what it was, with another configuration.
  const empty = await isEmpty(context.driver.diff(options.snapshot));
  const layer = empty ? undefined : await addLayer(context, parent, context.driver.diff(options.snapshot));
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
      rootfs: {
        type: "layers",
        diff_ids: [...base.config.rootfs.diff_ids, ...(layer === undefined ? [] : [layer.diffId])],
      },
      history: [
        ...(base.config.history ?? []),
        {
          created,
          ...(options.createdBy === undefined ? {} : { created_by: options.createdBy }),
          ...(author === undefined || author === "" ? {} : { author }),
          ...(comment === undefined || comment === "" ? {} : { comment }),
          ...(empty ? { empty_layer: true } : {}),
        },
      ],
      ...(comment === undefined || comment === "" ? {} : { comment }),
    };
    return await createImage(context, image, { ...options, parent: base.id, tell: "create" });
  } finally {
    layer?.release();
  }
}

/** What was asked for over what the container says, as `docker commit` puts them together. */
function mergeRunConfig(container: ImageRunConfig, asked: ImageRunConfig): ImageRunConfig {
  const given = Object.fromEntries(
    Object.entries(asked).filter(([, value]) => value !== null && value !== "" && value !== undefined),
  );
  const name = (word: string) => word.split("=", 1)[0];
  const named = new Set((asked.Env ?? []).map(name));
  const Env = [...(asked.Env ?? []), ...(container.Env ?? []).filter((word) => !named.has(name(word)))];
  return {
    ...container,
    ...given,
    // An entrypoint of its own leaves the container's command behind.
    ...(asked.Entrypoint?.length && !asked.Cmd ? { Cmd: null } : {}),
    ...(Env.length > 0 ? { Env } : {}),
    ...(container.Labels || asked.Labels ? { Labels: { ...container.Labels, ...asked.Labels } } : {}),
    ...(container.ExposedPorts || asked.ExposedPorts
      ? { ExposedPorts: { ...container.ExposedPorts, ...asked.ExposedPorts } }
      : {}),
    ...(container.Volumes || asked.Volumes ? { Volumes: { ...container.Volumes, ...asked.Volumes } } : {}),
  };
}
