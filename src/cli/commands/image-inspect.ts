import { inspectImage } from "../../client/images.ts";
import { command } from "../command.ts";
import { text } from "../flags/flag.ts";
import { inspectAll } from "../inspection.ts";

export default command({
  name: "image inspect",
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Show everything about images",
  flags: {
    format: text("Format: json or a TEMPLATE of Go", { short: "f" }),
  },
  args: [1, Number.POSITIVE_INFINITY],
  run: ({ engine }, { format }, names) => inspectAll(names, format, (name) => inspectImage(engine, name)),
});
