import { createVolume } from "../../client/volumes.ts";
import { command } from "../command.ts";
import { labels, pairs } from "../container/environment.ts";
import { said } from "../container/resources.ts";
import { Failure } from "../failure.ts";
import { list, text } from "../flags/flag.ts";
import { out } from "../output.ts";

export default command({
  name: "volume create",
  usage: "[OPTIONS] [VOLUME]",
  summary: "Make a volume",
  flags: {
    driver: text("Driver of the volume", { short: "d", shown: '"local"' }),
    label: list("Set a label (name=value)"),
    name: text("Name of the volume"),
    opt: list("Options of the driver (name=value)", { short: "o", type: "map" }),
  },
  args: [0, 1],
  async run({ engine }, options, [name]) {
    if (name !== undefined && options.name !== undefined)
      throw new Failure(
        "conflicting options: cannot specify a volume-name through both --name and as a positional arg",
      );
    const made = await createVolume(engine, {
      Driver: options.driver ?? "local",
      ...said({
        Name: name ?? options.name ?? "",
        DriverOpts: pairs(options.opt),
        Labels: labels([], options.label),
      }),
    });
    out(`${made.Name}\n`);
    return 0;
  },
});
