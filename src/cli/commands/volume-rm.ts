import { removeVolume } from "../../client/volumes.ts";
import { command } from "../command.ts";
import { each } from "../each.ts";
import { bool } from "../flags/flag.ts";

export default command({
  name: "volume rm",
  aliases: ["volume remove"],
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  summary: "Remove volumes",
  flags: { force: bool("Do not mind volumes that do not exist", { short: "f" }) },
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, { force }, names) => each(names, (name) => removeVolume(engine, name, force)),
});
