import { stopContainer } from "../../client/containers.ts";
import { command } from "../command.ts";
import { each } from "../each.ts";
import { int, text } from "../flags/flag.ts";

export default command({
  name: "stop",
  aliases: ["container stop"],
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Stop running containers",
  flags: {
    signal: text("Signal to stop it with", { short: "s" }),
    time: int("Seconds to wait before SIGKILL", { short: "t" }),
    timeout: int("The same as --time"),
  },
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, { signal, time, timeout }, names) =>
    each(names, (name) => stopContainer(engine, name, signal, time ?? timeout)),
});
