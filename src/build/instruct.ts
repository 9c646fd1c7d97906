import { applyInstruction, environment, isConfigInstruction, workdir } from "../image/change.ts";
import { toByteText } from "../image/tar/entry.ts";
import { encodeHeader, endOfArchive, PLAIN } from "../image/tar/write.ts";
import { execForm, expand, splitWords, type Variables } from "../image/words.ts";
import { shortId } from "../oci/digest.ts";
import { Refusal } from "../oci/error.ts";
import type { Building } from "./building.ts";
import { cached, commit, contentHash } from "./cache.ts";
import { copyLayer } from "./copy.ts";
import { otherContexts } from "./copy-from.ts";
import type { Instruction } from "./dockerfile.ts";
import { from } from "./from.ts";
import { ownerOf } from "./owner.ts";
import { run } from "./run.ts";
import { type Stage, withConfig, withLayer } from "./stage.ts";

/** Takes one step; errors name its line. */
export async function instruct(
  building: Building,
  stage: Stage | undefined,
  instruction: Instruction,
): Promise<Stage | undefined> {
  try {
    if (instruction.name === "FROM") return await begin(building, instruction);
    if (instruction.name === "ARG" && stage === undefined) return argBefore(building, instruction);
    if (stage === undefined)
      throw new Refusal("invalid", "no build stage in current context: the first instruction is FROM");
    const next = await inStage(building, stage, instruction);
    for (const name of building.current) building.stages.set(name, next);
    building.progress({ stream: ` ---> ${next.parent === undefined ? "" : shortId(next.parent)}\n` });
    return next;
  } catch (error) {
    if (!(error instanceof Error) || (error instanceof Refusal && error.kind === "failed")) throw error;
    const kind = error instanceof Refusal ? error.kind : "invalid";
    throw new Refusal(kind, `Dockerfile line ${instruction.line}: ${instruction.name}: ${error.message}`, {
      cause: error,
    });
  }
}

/** FROM, and what the base wants done in every image that is made from it. */
async function begin(building: Building, instruction: Instruction): Promise<Stage> {
  const { stage, triggers } = from(building, instruction);
  if (triggers.length === 0) {
    building.progress({ stream: ` ---> ${stage.parent === undefined ? "" : shortId(stage.parent)}\n` });
    return stage;
  }
  building.progress({
    stream: `# Executing ${triggers.length} build trigger${triggers.length > 1 ? "s" : ""}\n`,
  });
  let at: Stage | undefined = stage;
  for (const trigger of triggers) {
    if (["FROM", "ONBUILD", "MAINTAINER"].includes(trigger.name))
      throw new Refusal("invalid", `${trigger.name} isn't allowed as an ONBUILD trigger`);
    at = await instruct(building, at, trigger);
  }
  return at ?? stage;
}

async function inStage(building: Building, stage: Stage, instruction: Instruction): Promise<Stage> {
  const { name } = instruction;
  const env = environment(stage.config);
  const variables: Variables = (key) => env.get(key) ?? building.args.get(key);
  if (name === "ADD" || name === "COPY") return await copy(building, stage, instruction, variables);
  if (name === "RUN") return await run(building, stage, instruction);
  const next = await configured(building, stage, instruction, variables);
  const said = next.history.at(-1)?.created_by ?? "";
  const before = cached(building, stage, said, next);
  if (before) return before;
  const made = name === "WORKDIR" ? await makeWorkdir(building, next, next.config.WorkingDir ?? "/") : next;
  return await commit(building, made);
}

/** Steps that change how containers run. */
async function configured(
  building: Building,
  stage: Stage,
  { name, text, original }: Instruction,
  variables: Variables,
): Promise<Stage> {
  const said = nop(stage, original);
  const context = { variables, mark: building.mark };
  switch (name) {
    case "ARG":
      arg(building, text);
      return withConfig(stage, stage.config, said);
    case "MAINTAINER":
      return { ...withConfig(stage, stage.config, said), author: text };
    case "SHELL":
      return withConfig(stage, { ...stage.config, Shell: execForm(text) ?? [] }, said);
    case "WORKDIR": {
      const config = applyInstruction(stage.config, "WORKDIR", text, context);
      return withConfig(stage, config, said);
    }
    case "VOLUME": {
      const config = applyInstruction(stage.config, "VOLUME", text, context);
      const view = building.options.images.driver.view(stage.chain);
      for (const path of Object.keys(config.Volumes ?? {})) {
        const target = view.resolve(toByteText(workdir("/", path).slice(1)));
        if (target !== "" && view.lookup(target)?.stat.isDirectory() === false)
          throw new Refusal("invalid", `cannot mount volume over existing file, file exists ${path}`);
      }
      return withConfig(stage, config, said);
    }
    case "CMD":
      return {
        ...withConfig(stage, applyInstruction(stage.config, "CMD", text, context), said),
        commandSet: true,
      };
    case "ENTRYPOINT": {
      const config = applyInstruction(stage.config, "ENTRYPOINT", text, context);
      // The command of the image below was meant for its own entry point.
      return withConfig(stage, stage.commandSet ? config : { ...config, Cmd: null }, said);
    }
    default:
      if (!isConfigInstruction(name)) throw new Refusal("invalid", `unknown instruction: ${name}`);
      return withConfig(stage, applyInstruction(stage.config, name, text, context), said);
  }
}

/** How Docker notes a step that ran nothing. */
const nop = ({ config }: Stage, words: string): string =>
  `${(config.Shell ?? ["/bin/sh", "-c"]).join(" ")} #(nop) ${words}`;

/** ARG of a stage: what was given, else its default, else what stands before the first FROM. */
function arg(building: Building, text: string): void {
  const { args: given = {} } = building.options;
  for (const word of splitWords(text, (key) => building.args.get(key), building.mark)) {
    const equals = word.indexOf("=");
    const name = equals === -1 ? word : word.slice(0, equals);
    const value = given[name] ?? (equals === -1 ? building.global.get(name) : word.slice(equals + 1));
    building.declared.add(name);
    if (value !== undefined) building.args.set(name, value);
  }
}

function argBefore(building: Building, { text }: Instruction): undefined {
  const { args: given = {} } = building.options;
  for (const word of splitWords(text, (key) => building.global.get(key), building.mark)) {
    const equals = word.indexOf("=");
    const name = equals === -1 ? word : word.slice(0, equals);
    const value = given[name] ?? (equals === -1 ? undefined : word.slice(equals + 1));
    building.declared.add(name);
    if (value !== undefined) building.global.set(name, value);
  }
}

async function copy(
  building: Building,
  stage: Stage,
  { name, text, flags }: Instruction,
  variables: Variables,
): Promise<Stage> {
  const { images, runPlan } = building.options;
  const known = new Map<string, string>();
  for (const flag of flags) {
    const [, key = "", value = ""] = /^--([a-z-]+)(?:=(.*))?$/.exec(flag) ?? [];
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
  const origin = known.get("from");
  const request = {
    sources:
      origin === undefined
        ? words.map((path) => ({ context: building.context, path }))
        : otherContexts(building, origin, words),
    instruction: name,
    destination,
    workingDirectory: stage.config.WorkingDir ?? "/",
    owner: ownerOf(known.get("chown"), view),
    ...(chmod === undefined ? {} : { mode: Number.parseInt(chmod, 8) }),
    unpack: name === "ADD",
    view,
    runPlan,
  };
  const hash = await contentHash(await copyLayer(request));
  const said = nop(stage, `${name} ${words.length > 1 ? "multi" : "file"}:${hash} in ${destination} `);
  const before = cached(building, stage, said, stage);
  if (before) return before;
  const layer = await images.addLayer(stage.chain, await copyLayer(request));
  building.held.push(layer);
  return await commit(building, withLayer(stage, layer, said));
}

/** A working directory exists: it is made where the image has none. */
async function makeWorkdir(building: Building, stage: Stage, path: string): Promise<Stage> {
  const { images } = building.options;
  const view = images.driver.view(stage.chain);
  const target = view.resolve(toByteText(workdir("/", path).slice(1)));
  const there = target === "" ? undefined : view.lookup(target)?.stat;
  if (there !== undefined && !there.isDirectory())
    throw new Refusal("invalid", `Cannot mkdir: ${path} is not a directory`);
  if (target === "" || there !== undefined) return stage;
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
