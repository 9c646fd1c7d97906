import { saveImages } from "../../client/images.ts";
import { command } from "../command.ts";
import { list, text } from "../flags/flag.ts";
import { saveStream } from "../savestream.ts";

export default command({
  name: "save",
  aliases: ["image save"],
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Write images as one tar archive",
  flags: {
    output: text("Write to a file in place of standard output", { short: "o" }),
    platform: list("Platforms to save"),
  },
  args: [1, Number.POSITIVE_INFINITY],
  own: () => true,
  run: ({ engine }, { output }, names) => saveStream(output, () => saveImages(engine, names)),
});
