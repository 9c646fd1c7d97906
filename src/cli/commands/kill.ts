import { killContainer } from "../../client/containers.ts";
import { command } from "../command.ts";
import { each } from "../each.ts";
import { text } from "../flags/flag.ts";

export default command({
  name: "kill",
  aliases: ["container kill"],
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Send a signal to containers",
  flags: { signal: text("Signal to send", { short: "s", shown: '"KILL"' }) },
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, { signal }, names) => each(names, (name) => killContainer(engine, name, signal)),
});
