import { pauseContainer } from "../../client/containers.ts";
import { command } from "../command.ts";
import { each } from "../each.ts";

export default command({
  name: "pause",
  aliases: ["container pause"],
  usage: "CONTAINER [CONTAINER...]",
  summary: "Pause all processes of containers",
  flags: {},
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, _, names) => each(names, (name) => pauseContainer(engine, name)),
});
