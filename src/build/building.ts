import type { Progress, StoredLayer } from "../image/images.ts";
import type { Escape } from "../image/words.ts";
import type { Digest } from "../oci/digest.ts";
import type { BuildOptions } from "./build.ts";
import type { Stage } from "./stage.ts";

/** What the steps of one build share. */
export interface Building {
  readonly options: BuildOptions;
  /** Directory with the context's files. */
  readonly context: string;
  /** Where files of other stages are put together; removed with the build. */
  readonly scratch: string;
  readonly mark: Escape;
  readonly progress: Progress;
  /** Layers made so far, kept from the collector until an image names them. */
  readonly held: StoredLayer[];
  /** Stages by name and number, for later `FROM`s and `COPY --from`s. */
  readonly stages: Map<string, Stage>;
  /** Arguments before the first FROM: for FROM only, and for an ARG without a value. */
  readonly global: Map<string, string>;
  /** Arguments of this stage. */
  args: Map<string, string>;
  /** Names of arguments that the Dockerfile has. */
  readonly declared: Set<string>;
  /** Under these the stage that is being built is found. */
  current: readonly string[];
  /** How many stages have begun. */
  started: number;
  /** Images that steps may be taken from; null when all may. */
  readonly reusable: ReadonlySet<Digest> | null;
  /** No step had to be done yet. */
  caching: boolean;
}
