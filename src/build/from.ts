import { DEFAULT_PATH } from "../container/spec/process.ts";
import { expand } from "../image/words.ts";
import { Refusal } from "../oci/error.ts";
import type { ImageRunConfig } from "../oci/image.ts";
import { hostPlatform, parsePlatform } from "../oci/platform.ts";
import type { Building } from "./building.ts";
import { type Instruction, parseDockerfile } from "./dockerfile.ts";
import type { Stage } from "./stage.ts";

/** The stage that FROM begins, and what its base wants done first (ONBUILD). */
export interface Begun {
  readonly stage: Stage;
  readonly triggers: readonly Instruction[];
}

/** Begins a stage: from an earlier one, an image, or nothing. */
export function from(building: Building, { text, flags, line }: Instruction): Begun {
  for (const flag of flags) parsePlatform(expandGlobal(building, flag.slice(flag.indexOf("=") + 1)));
  const match = /^(\S+)(?:\s+as\s+(\S+))?$/i.exec(text);
  if (match === null)
    throw new Refusal("invalid", `FROM requires either one or three arguments (line ${line})`);
  const base = expandGlobal(building, match[1]!);
  const named = match[2]?.toLowerCase();
  if (named !== undefined && building.stages.has(named))
    throw new Refusal("invalid", `${match[2]} stage name already used`);
  const earlier = building.stages.get(base.toLowerCase());
  const whole = earlier ?? baseStage(building, base);
  const { OnBuild, ...config } = withPath(whole.config);
  const triggers = (OnBuild ?? []).flatMap((words) => parseDockerfile(words, "part").instructions);
  const kept = triggers.length > 0 || OnBuild === undefined ? config : { ...config, OnBuild };
  const stage = { ...whole, config: kept, commandSet: false };
  const number = String(building.started++);
  building.current = named === undefined ? [number] : [number, named];
  building.args = new Map();
  for (const name of building.current) building.stages.set(name, stage);
  return { stage, triggers };
}

/** What stands in FROM knows the arguments before the first one. */
const expandGlobal = ({ global, mark }: Building, text: string): string =>
  expand(text, (key) => global.get(key), mark);

/** As in Docker, an image without any variable, and so nothing at all, has the usual PATH, for `ENV PATH=…:$PATH` to build upon. */
function withPath(config: ImageRunConfig): ImageRunConfig {
  if ((config.Env ?? []).length > 0) return config;
  return { ...config, Env: [`PATH=${DEFAULT_PATH}`] };
}

/** An image as the beginning of a stage. */
export function baseStage({ options }: Building, base: string): Stage {
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
