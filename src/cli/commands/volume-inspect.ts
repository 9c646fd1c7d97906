import { inspectVolume } from "../../client/volumes.ts";
import { command } from "../command.ts";
import { text } from "../flags/flag.ts";
import { inspectAll } from "../inspection.ts";

export default command({
  name: "volume inspect",
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  summary: "Show everything about volumes",
  flags: {
    format: text("Format: json or a TEMPLATE of Go", { short: "f" }),
  },
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, { format }, names) => inspectAll(names, format, (name) => inspectVolume(engine, name)),
});
