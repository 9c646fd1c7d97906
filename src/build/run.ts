import { commandOf, environment } from "../image/change.ts";
import { isEmpty } from "../image/tar/read.ts";
import { Refusal } from "../oci/error.ts";
import type { Building } from "./building.ts";
import { cached, commit } from "./cache.ts";
import type { Instruction } from "./dockerfile.ts";
import { type Stage, withConfig, withLayer } from "./stage.ts";

/** Arguments that need no ARG, and that do not count for the cache (Dockerfile reference, "Predefined ARGs"). */
export const PREDEFINED = /^(https?_proxy|ftp_proxy|no_proxy|all_proxy)$/i;

/** What a command changed in a container of its own becomes a layer. */
export async function run(building: Building, stage: Stage, { text, flags }: Instruction): Promise<Stage> {
  const { images, run: execute, args: given = {} } = building.options;
  if (flags.length > 0) throw new Refusal("unsupported", `${flags[0]} needs BuildKit; use RUN without it`);
  if (execute === undefined) throw new Refusal("unsupported", "commands cannot be run during a build yet");
  const asked = commandOf(text, stage.config);
  // An empty list runs what a container of the image would, as in Docker.
  const command = asked.length > 0 ? asked : (stage.config.Cmd ?? []);
  const set = environment(stage.config);
  const args = [...building.args].filter(([key]) => !set.has(key)).sort(([a], [b]) => (a < b ? -1 : 1));
  const words = args.map(([key, value]) => `${key}=${value}`);
  const said = [...(args.length > 0 ? [`|${args.length}`, ...words] : []), ...command].join(" ");
  const before = cached(building, stage, said, stage);
  if (before) return before;
  const predefined = Object.entries(given).filter(([key]) => PREDEFINED.test(key) && !set.has(key));
  const env = [...set, ...predefined, ...args].map(([key, value]) => `${key}=${value}`);
  // What runs is a container of an image: nothing at all is one too.
  const below = stage.parent === undefined ? await commit(building, stage) : stage;
  const result = await execute({
    image: below.parent!,
    chain: stage.chain,
    config: stage.config,
    command,
    env,
  });
  try {
    if (result.exitCode !== 0) {
      const { exitCode } = result;
      const why = `The command '${command.join(" ")}' returned a non-zero code: ${exitCode}`;
      throw Object.assign(new Refusal("failed", why), { exitCode });
    }
    if (await isEmpty(images.driver.diff(result.snapshot)))
      return await commit(building, withConfig(below, below.config, said));
    const layer = await images.addLayer(stage.chain, images.driver.diff(result.snapshot));
    building.held.push(layer);
    return await commit(building, withLayer(below, layer, said));
  } finally {
    await result.end();
  }
}
