import { restartContainer } from "../../client/containers.ts";
import { command } from "../command.ts";
import { stopFlags } from "../container/stopping.ts";
import { each } from "../each.ts";

export default command({
  name: "restart",
  aliases: ["container restart"],
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Stop containers and start them again",
  flags: stopFlags,
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, { signal, time, timeout }, names) =>
    each(names, (name) => restartContainer(engine, name, signal, time ?? timeout)),
});
