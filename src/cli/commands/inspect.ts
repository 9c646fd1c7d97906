import { inspectContainer } from "../../client/containers.ts";
import { EngineError } from "../../client/error.ts";
import { inspectImage } from "../../client/images.ts";
import { inspectNetwork } from "../../client/networks.ts";
import type { Engine } from "../../client/request.ts";
import { inspectVolume } from "../../client/volumes.ts";
import { command } from "../command.ts";
import { Failure } from "../failure.ts";
import { bool, text } from "../flags/flag.ts";
import { inspectAll } from "../inspection.ts";

type Look = (engine: Engine, name: string, size: boolean) => Promise<unknown>;

/** In Docker's order: the first kind that has the name wins. */
const kinds: Readonly<Record<string, Look>> = {
  container: inspectContainer,
  image: inspectImage,
  network: inspectNetwork,
  volume: inspectVolume,
};

export default command({
  name: "inspect",
  usage: "[OPTIONS] NAME|ID [NAME|ID...]",
  summary: "Show everything about containers, images, volumes or networks",
  flags: {
    format: text("Format: json or a TEMPLATE of Go", { short: "f" }),
    size: bool("Show sizes of containers", { short: "s" }),
    type: text("Look only for this kind: container, image, network or volume"),
  },
  args: [1, Number.POSITIVE_INFINITY],
  run({ engine }, { format, size, type }, names) {
    if (type === "")
      throw new Failure('type is empty: must be one of "container", "image", "network", "volume"');
    if (type !== undefined && !Object.hasOwn(kinds, type))
      throw new Failure(
        `unknown type: ${JSON.stringify(type)}: must be one of "container", "image", "network", "volume"`,
      );
    const looks = type === undefined ? Object.values(kinds) : [kinds[type] as Look];
    return inspectAll(names, format, (name) => first(engine, name, size, looks, type));
  },
});

async function first(
  engine: Engine,
  name: string,
  size: boolean,
  looks: readonly Look[],
  type?: string,
): Promise<unknown> {
  for (const look of looks) {
    try {
      return await look(engine, name, size);
    } catch (error) {
      // A name that no image can have is refused with 400, which is only another way of "not this kind".
      if (!(error instanceof EngineError) || (error.status !== 404 && error.status !== 400)) throw error;
      if (type !== undefined) throw error;
    }
  }
  throw new EngineError(0, `Error: No such object: ${name}`);
}
