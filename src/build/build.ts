import * as fs from "node:fs";
import { join } from "node:path";
import { locate } from "../image/archive/stat.ts";
import { decompressed } from "../image/compression.ts";
import type { Images, Progress, StoredLayer } from "../image/images.ts";
import { openRoot, through } from "../image/tar/beneath.ts";
import { unpack } from "../image/tar/unpack.ts";
import { type ChainId, type Digest, shortId } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import type { ImageRunConfig } from "../oci/image.ts";
import { parseReference } from "../oci/reference.ts";
import type { Bytes } from "../storage/driver.ts";
import type { RunPlan } from "../storage/kernel.ts";
import { type Instruction, parseDockerfile } from "./dockerfile.ts";
import { type Building, instruct } from "./instruct.ts";
import { imageOf, type Stage } from "./stage.ts";

/** A command of the build, to be run in a container on top of what there is. */
export interface RunSpec {
  readonly chain: ChainId | undefined;
  readonly config: ImageRunConfig;
  readonly command: readonly string[];
  /** The image's environment and the build's arguments. */
  readonly env: readonly string[];
  /** Its output, as it comes. */
  readonly output: (text: string) => void;
}

/** How a command of the build ended. The snapshot is the builder's to read and remove. */
export interface RunResult {
  readonly exitCode: number;
  readonly snapshot: string;
}

export interface BuildOptions {
  readonly images: Images;
  readonly runPlan: RunPlan;
  /** The build context as a tar, perhaps compressed. */
  readonly context: Bytes;
  /** An empty directory of the caller's for the context's files; it is removed. */
  readonly directory: string;
  /** Path of the Dockerfile in the context. */
  readonly dockerfile?: string;
  readonly tags?: readonly string[];
  readonly args?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Stop at this stage: its name or number. */
  readonly target?: string;
  /** Absent: `RUN` is refused. */
  readonly run?: (spec: RunSpec) => Promise<RunResult>;
  readonly progress?: Progress;
}

/**
 * Builds an image from a Dockerfile as the classic builder does, with its messages. All of the Dockerfile is parsed
 * and all names are checked before the first step. Killed or failed, it leaves no image.
 */
export async function buildImage(options: BuildOptions): Promise<Digest> {
  const { images, directory, progress = () => {}, tags = [] } = options;
  for (const tag of tags) parseReference(tag);
  const held: StoredLayer[] = [];
  try {
    const { stream } = await decompressed(options.context);
    const context = join(directory, "context");
    fs.mkdirSync(context, { recursive: true });
    await unpack(stream, context, { runPlan: options.runPlan, whiteouts: "plain" });
    const { instructions, escape: mark } = parseDockerfile(
      readDockerfile(context, options.dockerfile ?? "Dockerfile"),
    );
    const wanted = untilTarget(instructions, options.target);
    const building: Building = {
      options,
      context,
      mark,
      progress,
      held,
      stages: new Map(),
      current: [],
      started: 0,
    };
    let stage: Stage | undefined;
    const args = new Map<string, string>();
    for (const [i, instruction] of wanted.entries()) {
      progress({ stream: `Step ${i + 1}/${wanted.length} : ${instruction.original}\n` });
      stage = await instruct(building, stage, instruction, args);
    }
    if (stage === undefined)
      throw new Refusal("invalid", "No image was generated. Is your Dockerfile empty?");
    const config = imageOf(stage, options.labels ?? {});
    const id = await images.create(config, stage.parent === undefined ? {} : { parent: stage.parent });
    progress({ aux: { ID: id } });
    progress({ stream: `Successfully built ${shortId(id)}\n` });
    for (const tag of tags) {
      await images.tag(id, { repo: tag });
      progress({ stream: `Successfully tagged ${tag.includes(":") ? tag : `${tag}:latest`}\n` });
    }
    return id;
  } finally {
    for (const layer of held) layer.release();
    await fs.promises.rm(directory, { recursive: true, force: true });
  }
}

/** The Dockerfile, wherever links of the context lead to, but never out of the context. */
function readDockerfile(context: string, name: string): string {
  const root = openRoot(context);
  try {
    const { parent, name: base } = locate(root, name);
    try {
      const file = fs.openSync(through(parent, base), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
      try {
        return fs.readFileSync(file, "utf8");
      } finally {
        fs.closeSync(file);
      }
    } finally {
      fs.closeSync(parent);
    }
  } catch (error) {
    throw new Refusal("invalid", `Cannot locate specified Dockerfile: ${name}`, { cause: error });
  } finally {
    fs.closeSync(root);
  }
}

/** Instructions up to the end of the stage that is wanted. */
function untilTarget(
  instructions: readonly Instruction[],
  target: string | undefined,
): readonly Instruction[] {
  if (target === undefined || target === "") return instructions;
  const starts = instructions.flatMap((instruction, i) => (instruction.name === "FROM" ? [i] : []));
  const found = starts.findIndex((start, number) => {
    const name = /\sas\s+(\S+)$/i.exec(instructions[start]!.text)?.[1];
    return name?.toLowerCase() === target.toLowerCase() || String(number) === target;
  });
  if (found === -1) throw new Refusal("invalid", `failed to reach build target ${target} in Dockerfile`);
  return instructions.slice(0, starts[found + 1] ?? instructions.length);
}
