import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { type BuildOptions, buildImage } from "../../build/build.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Bytes } from "../../storage/driver.ts";
import type { Engine } from "../engine.ts";

/** Builds an image from a context, which is unpacked below the engine's root meanwhile. */
export function buildFrom(
  engine: Engine,
  context: Bytes,
  options: Pick<BuildOptions, "tags" | "args" | "labels" | "dockerfile" | "target" | "progress">,
): Promise<Digest> {
  const base = join(engine.root, "builds");
  mkdirSync(base, { recursive: true, mode: 0o700 });
  return buildImage({
    ...options,
    images: engine.images,
    runPlan: engine.runPlan,
    context,
    directory: mkdtempSync(join(base, "build-")),
  });
}
