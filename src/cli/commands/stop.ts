import { stopContainer } from "../../client/containers.ts";
import { command } from "../command.ts";
import { stopFlags } from "../container/stopping.ts";
import { each } from "../each.ts";

export default command({
  name: "stop",
  aliases: ["container stop"],
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Stop running containers",
  flags: stopFlags,
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, { signal, time, timeout }, names) =>
    each(names, (name) => stopContainer(engine, name, signal, time ?? timeout)),
});
