import { unpauseContainer } from "../../client/containers.ts";
import { command } from "../command.ts";
import { each } from "../each.ts";

export default command({
  name: "unpause",
  aliases: ["container unpause"],
  usage: "CONTAINER [CONTAINER...]",
  summary: "Let paused containers go on",
  flags: {},
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, _, names) => each(names, (name) => unpauseContainer(engine, name)),
});
