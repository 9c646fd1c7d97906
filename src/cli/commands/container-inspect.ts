import { inspectContainer } from "../../client/containers.ts";
import { command } from "../command.ts";
import { bool, text } from "../flags/flag.ts";
import { inspectAll } from "../inspection.ts";

export default command({
  name: "container inspect",
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Show everything about containers",
  flags: {
    format: text("Format: json or a TEMPLATE of Go", { short: "f" }),
    size: bool("Show sizes", { short: "s" }),
  },
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, { format, size }, names) =>
    inspectAll(names, format, (name) => inspectContainer(engine, name, size)),
});
