import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { type BuildOptions, buildImage } from "../../build/build.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Bytes } from "../../storage/driver.ts";
import type { Engine } from "../engine.ts";
import { type RunnerOptions, runner } from "./run.ts";

type Asked = Pick<
  BuildOptions,
  "tags" | "args" | "labels" | "dockerfile" | "target" | "progress" | "noCache" | "cacheFrom"
> &
  Omit<RunnerOptions, "progress">;

/** Builds an image from a context, which is unpacked below the engine's root meanwhile. */
export function buildFrom(engine: Engine, context: Bytes, options: Asked): Promise<Digest> {
  const base = join(engine.root, "builds");
  mkdirSync(base, { recursive: true, mode: 0o700 });
  return buildImage({
    ...options,
    images: engine.images,
    runPlan: engine.runPlan,
    run: runner(engine, { ...options, progress: options.progress ?? (() => undefined) }),
    context,
    directory: mkdtempSync(join(base, "build-")),
  });
}
