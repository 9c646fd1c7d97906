import { applyInstruction, commandOf, environment, isConfigInstruction, workdir } from "../image/change.ts";
import type { Progress, StoredLayer } from "../image/images.ts";
import { hostPlatform } from "../image/platform.ts";
import { toByteText } from "../image/tar/entry.ts";
import { encodeHeader, endOfArchive, PLAIN } from "../image/tar/write.ts";
import { type Escape, execForm, expand, splitWords, type Variables } from "../image/words.ts";
import { Refusal } from "../oci/error.ts";
import type { BuildOptions } from "./build.ts";
import { copyLayer } from "./copy.ts";
import type { Instruction } from "./dockerfile.ts";
import { ownerOf } from "./owner.ts";
import { type Stage, withConfig, withLayer } from "./stage.ts";

/** What the steps of one build share. */
export interface Building {
  readonly options: BuildOptions;
  /** Directory with the context's files. */
  readonly context: string;
  readonly mark: Escape;
  readonly progress: Progress;
  /** Layers made so far, kept from the collector until the image names them. */
  readonly held: StoredLayer[];
  /** Stages by name and number, for later `FROM`s. */
  readonly stages: Map<string, Stage>;
  /** Under these the stage that is being built is found. */
  current: readonly string[];
  /** How many stages have begun. */
  started: number;
}

/** Arguments that need no ARG (Dockerfile reference, "Predefined ARGs"). */
const PREDEFINED = /^(https?_proxy|ftp_proxy|no_proxy|all_proxy)$/i;

/** Takes one step; errors name its line. */
export async function instruct(
  building: Building,
  stage: Stage | undefined,
  instruction: Instruction,
  args: Map<string, string>,
): Promise<Stage | undefined> {
  try {
    if (instruction.name === "FROM") return from(building, instruction, args);
    if (instruction.name === "ARG") return arg(building, stage, instruction, args);
    if (stage === undefined)
      throw new Refusal("invalid", "no build stage in current context: the first instruction is FROM");
    const next = await inStage(building, stage, instruction, args);
    for (const name of building.current) building.stages.set(name, next);
    return next;
  } catch (error) {
    if (!(error instanceof Error) || (error instanceof Refusal && error.kind === "failed")) throw error;
    const kind = error instanceof Refusal ? error.kind : "invalid";
    throw new Refusal(kind, `Dockerfile line ${instruction.line}: ${instruction.name}: ${error.message}`, {
      cause: error,
    });
  }
}

async function inStage(
  building: Building,
  stage: Stage,
  instruction: Instruction,
  args: Map<string, string>,
): Promise<Stage> {
  const { name, text, original } = instruction;
  const env = environment(stage.config);
  const variables: Variables = (key) => env.get(key) ?? args.get(key);
  const context = { variables, mark: building.mark };
  switch (name) {
    case "ADD":
    case "COPY":
      return await copy(building, stage, instruction, variables);
    case "RUN":
      return await run(building, stage, instruction, args);
    case "MAINTAINER":
      return { ...withConfig(stage, stage.config, `/bin/sh -c #(nop) ${original}`), author: text };
    case "SHELL": {
      const Shell = execForm(text);
      if (Shell === undefined)
        throw new Refusal("invalid", "SHELL requires the arguments to be in JSON form");
      return withConfig(stage, { ...stage.config, Shell }, nop(original));
    }
    case "WORKDIR": {
      const config = applyInstruction(stage.config, "WORKDIR", text, context);
      return await makeWorkdir(building, withConfig(stage, config, nop(original)), config.WorkingDir ?? "/");
    }
    case "CMD":
      return {
        ...withConfig(stage, applyInstruction(stage.config, "CMD", text, context), nop(original)),
        commandSet: true,
      };
    case "ENTRYPOINT": {
      const config = applyInstruction(stage.config, "ENTRYPOINT", text, context);
      // The command of the image below was meant for its own entry point.
      return withConfig(stage, stage.commandSet ? config : { ...config, Cmd: null }, nop(original));
    }
    default:
      if (!isConfigInstruction(name)) throw new Refusal("invalid", `unknown instruction: ${name}`);
      return withConfig(stage, applyInstruction(stage.config, name, text, context), nop(original));
  }
}

function nop(original: string): string {
  return `/bin/sh -c #(nop) ${original}`;
}

function from(building: Building, { text, flags, line }: Instruction, args: Map<string, string>): Stage {
  const unknown = flags.find((flag) => !flag.startsWith("--platform="));
  if (unknown !== undefined) throw new Refusal("invalid", `Unknown flag: ${unknown}`);
  const match = /^(\S+)(?:\s+as\s+(\S+))?$/i.exec(text);
  if (match === null)
    throw new Refusal("invalid", `FROM requires either one or three arguments (line ${line})`);
  const base = expand(match[1]!, (key) => args.get(key), building.mark);
  const stage = building.stages.get(base.toLowerCase()) ?? baseStage(building, base);
  const number = String(building.started++);
  building.current = match[2] === undefined ? [number] : [number, match[2].toLowerCase()];
  for (const name of building.current) building.stages.set(name, stage);
  return stage;
}

function baseStage({ options }: Building, base: string): Stage {
  if (base === "") throw new Refusal("invalid", "base name should not be blank");
  if (base === "scratch") {
    return {
      platform: hostPlatform(),
      config: {},
      diffs: [],
      chain: undefined,
      history: [],
      commandSet: false,
    };
  }
  const { id, config, chain } = options.images.get(base);
  const { os, architecture, variant, author } = config;
  if ((config.config?.OnBuild ?? []).length > 0) {
    throw new Refusal("unsupported", `the triggers (ONBUILD) of ${base} are not supported yet`);
  }
  return {
    parent: id,
    platform: variant === undefined ? { os, architecture } : { os, architecture, variant },
    config: config.config ?? {},
    diffs: config.rootfs.diff_ids,
    chain,
    history: config.history ?? [],
    commandSet: false,
    ...(author === undefined ? {} : { author }),
  };
}

function arg(
  building: Building,
  stage: Stage | undefined,
  { text, original }: Instruction,
  args: Map<string, string>,
): Stage | undefined {
  const given = building.options.args ?? {};
  for (const word of splitWords(text, (key) => args.get(key), building.mark)) {
    const equals = word.indexOf("=");
    const name = equals === -1 ? word : word.slice(0, equals);
    const value = given[name] ?? (equals === -1 ? args.get(name) : word.slice(equals + 1));
    if (value !== undefined) args.set(name, value);
  }
  return stage === undefined ? undefined : withConfig(stage, stage.config, nop(original));
}

async function copy(
  building: Building,
  stage: Stage,
  { name, text, flags, original }: Instruction,
  variables: Variables,
): Promise<Stage> {
  const { images, runPlan } = building.options;
  const known = new Map<string, string>();
  for (const flag of flags) {
    const [, key = "", value = ""] = /^--([a-z-]+)(?:=(.*))?$/.exec(flag) ?? [];
    if (key === "from")
      throw new Refusal("unsupported", "--from another stage or image is not supported yet");
    if (key !== "chown" && key !== "chmod")
      throw new Refusal("invalid", `Unknown flag: ${key === "" ? flag : key}`);
    known.set(key, expand(value, variables, building.mark));
  }
  const chmod = known.get("chmod");
  if (chmod !== undefined && !/^[0-7]{3,4}$/.test(chmod))
    throw new Refusal("invalid", `--chmod=${chmod} is not octal`);
  const listed = execForm(text)?.map((word) => expand(word, variables, building.mark));
  const words = listed ?? splitWords(text, variables, building.mark);
  const destination = words.pop();
  if (destination === undefined || words.length === 0)
    throw new Refusal("invalid", `${name} requires at least two arguments`);
  const view = images.driver.view(stage.chain);
  const tar = await copyLayer({
    context: building.context,
    sources: words,
    destination,
    workingDirectory: stage.config.WorkingDir ?? "/",
    owner: ownerOf(known.get("chown"), view),
    ...(chmod === undefined ? {} : { mode: Number.parseInt(chmod, 8) }),
    unpack: name === "ADD",
    view,
    runPlan,
  });
  const layer = await images.addLayer(stage.chain, tar);
  building.held.push(layer);
  return withLayer(stage, layer, nop(original));
}

async function run(
  building: Building,
  stage: Stage,
  { text, flags }: Instruction,
  args: Map<string, string>,
): Promise<Stage> {
  const { images, run: execute } = building.options;
  if (flags.length > 0) throw new Refusal("unsupported", `${flags[0]} needs BuildKit; use RUN without it`);
  if (execute === undefined) throw new Refusal("unsupported", "commands cannot be run during a build yet");
  const command = commandOf(text, stage.config);
  const env = environment(stage.config);
  const given = Object.entries(building.options.args ?? {}).filter(([key]) => PREDEFINED.test(key));
  for (const [key, value] of [...given, ...args]) if (!env.has(key)) env.set(key, value);
  const output = (chunk: string): void => building.progress({ stream: chunk });
  const variables = [...env].map(([key, value]) => `${key}=${value}`);
  const { exitCode, snapshot } = await execute({
    chain: stage.chain,
    config: stage.config,
    command,
    env: variables,
    output,
  });
  try {
    if (exitCode !== 0) {
      throw new Refusal("failed", `The command '${command.join(" ")}' returned a non-zero code: ${exitCode}`);
    }
    const layer = await images.addLayer(stage.chain, images.driver.diff(snapshot));
    building.held.push(layer);
    return withLayer(stage, layer, command.join(" "));
  } finally {
    await images.driver.remove(snapshot);
  }
}

/** A working directory exists: it is made where the image has none. */
async function makeWorkdir(building: Building, stage: Stage, path: string): Promise<Stage> {
  const { images } = building.options;
  const view = images.driver.view(stage.chain);
  const target = view.resolve(toByteText(workdir("/", path).slice(1)));
  if (target === "" || view.lookup(target) !== undefined) return stage;
  const header = encodeHeader({
    ...PLAIN,
    type: "directory",
    mode: 0o755,
    name: toByteText(target),
    mtime: Date.now() / 1000,
  });
  async function* tar(): AsyncGenerator<Uint8Array> {
    yield header;
    yield endOfArchive();
  }
  const layer = await images.addLayer(stage.chain, tar());
  building.held.push(layer);
  return { ...stage, diffs: [...stage.diffs, layer.diffId], chain: layer.chainId, history: withFiles(stage) };
}

/** The newest history entry made files after all. */
function withFiles(stage: Stage): Stage["history"] {
  const last = stage.history.at(-1);
  if (last === undefined) return stage.history;
  const { empty_layer: _, ...entry } = last;
  return [...stage.history.slice(0, -1), entry];
}
