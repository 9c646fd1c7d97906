import type { StoredLayer } from "../image/images.ts";
import type { ChainId, DiffId, Digest } from "../oci/digest.ts";
import type { HistoryEntry, ImageConfig, ImageRunConfig } from "../oci/image.ts";
import type { PlatformName } from "../oci/platform.ts";

/** What a build has made so far of one `FROM`. */
export interface Stage {
  /** The image that was made of it so far; absent where nothing is below. */
  readonly parent?: Digest;
  readonly platform: PlatformName;
  readonly config: ImageRunConfig;
  readonly diffs: readonly DiffId[];
  readonly chain: ChainId | undefined;
  readonly history: readonly HistoryEntry[];
  /** Its Dockerfile set CMD: an ENTRYPOINT then leaves it. */
  readonly commandSet: boolean;
  readonly author?: string;
}

/** The stage after an instruction that changed files. */
export function withLayer(stage: Stage, layer: StoredLayer, createdBy: string): Stage {
  return {
    ...stage,
    diffs: [...stage.diffs, layer.diffId],
    chain: layer.chainId,
    history: [...stage.history, { created: new Date().toISOString(), created_by: createdBy }],
  };
}

/** The stage after an instruction that only changed how containers run. */
export function withConfig(stage: Stage, config: ImageRunConfig, createdBy: string): Stage {
  const entry = { created: new Date().toISOString(), created_by: createdBy, empty_layer: true };
  return { ...stage, config, history: [...stage.history, entry] };
}

/** The image's configuration. */
export function imageOf(stage: Stage): ImageConfig {
  return {
    ...stage.platform,
    created: new Date().toISOString(),
    ...(stage.author === undefined ? {} : { author: stage.author }),
    config: stage.config,
    rootfs: { type: "layers", diff_ids: stage.diffs },
    history: stage.history,
  };
}
