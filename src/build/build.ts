import * as fs from "node:fs";
import { join } from "node:path";
import { decompressed } from "../image/compression.ts";
import type { Images, Progress, StoredLayer } from "../image/images.ts";
import { unpack } from "../image/tar/unpack.ts";
import { type ChainId, type Digest, shortId } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import type { ImageRunConfig } from "../oci/image.ts";
import { parseReference } from "../oci/reference.ts";
import type { Bytes } from "../storage/driver.ts";
import type { RunPlan } from "../storage/kernel.ts";
import type { Building } from "./building.ts";
import { readDockerfile, removeIgnored } from "./context.ts";
import { type Instruction, parseDockerfile } from "./dockerfile.ts";
import { instruct } from "./instruct.ts";
import { PREDEFINED } from "./run.ts";
import type { Stage } from "./stage.ts";

/** A command of the build, to be run in a container of the image so far. */
export interface RunSpec {
  readonly image: Digest;
  readonly chain: ChainId | undefined;
  readonly config: ImageRunConfig;
  readonly command: readonly string[];
  /** The image's environment and the build's arguments. */
  readonly env: readonly string[];
}

/** How a command of the build ended. */
export interface RunResult {
  readonly exitCode: number;
  /** What it made, there until `end`. */
  readonly snapshot: string;
  end(): Promise<void>;
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
  /** Do every step, whatever earlier builds have made. */
  readonly noCache?: boolean;
  /** Only what is in one of these images may be used again; none of them need be there. */
  readonly cacheFrom?: readonly string[];
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
    const dockerfile = readDockerfile(context, options.dockerfile);
    const { instructions, escape: mark } = parseDockerfile(dockerfile.text);
    removeIgnored(context, dockerfile.name);
    const wanted = [...untilTarget(instructions, options.target), ...labelling(options.labels ?? {})];
    const building: Building = {
      options,
      context,
      scratch: directory,
      mark,
      progress,
      held,
      stages: new Map(),
      global: new Map(),
      args: new Map(),
      declared: new Set(),
      current: [],
      started: 0,
      caching: options.noCache !== true,
      reusable: reusable(images, options.cacheFrom),
    };
    let stage: Stage | undefined;
    for (const [i, instruction] of wanted.entries()) {
      progress({ stream: `Step ${i + 1}/${wanted.length} : ${instruction.original}\n` });
      stage = await instruct(building, stage, instruction);
    }
    const id = stage?.parent;
    if (id === undefined) throw new Refusal("invalid", "No image was generated. Is your Dockerfile empty?");
    progress({ aux: { ID: id } });
    const unused = Object.keys(options.args ?? {}).filter(
      (name) => !building.declared.has(name) && !PREDEFINED.test(name),
    );
    if (unused.length > 0)
      progress({
        stream: `[Warning] One or more build-args [${unused.sort().join(" ")}] were not consumed\n`,
      });
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

/** Images that steps may be taken from; null when all may. */
function reusable(images: Images, cacheFrom: readonly string[] = []): ReadonlySet<Digest> | null {
  if (cacheFrom.length === 0) return null;
  return new Set(
    cacheFrom.flatMap((name) => {
      const id = images.find(name)?.id;
      return id === undefined ? [] : images.lineageOf(id);
    }),
  );
}

/** `--label`: each a step of its own at the end, as in Docker. */
function labelling(labels: Readonly<Record<string, string>>): readonly Instruction[] {
  const names = Object.keys(labels).sort();
  return names.map((name) => ({
    name: "LABEL",
    flags: [],
    text: `${quoted(name)}=${quoted(labels[name]!)}`,
    original: `LABEL ${name}=${labels[name]}`,
    line: 0,
  }));
}

/** As a word of a Dockerfile: as it is where that is safe. */
const quoted = (text: string): string =>
  /^[\w./:@+-]+$/.test(text) ? text : `"${text.replace(/["\\$]/g, "\\$&")}"`;

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
  if (found === -1) throw new Refusal("invalid", `target stage "${target}" could not be found`);
  return instructions.slice(0, starts[found + 1] ?? instructions.length);
}
