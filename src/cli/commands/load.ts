import { loadImages } from "../../client/images.ts";
import { ping } from "../../client/system.ts";
import { command } from "../command.ts";
import { Failure } from "../failure.ts";
import { bool, text } from "../flags/flag.ts";
import { showProgress } from "../image/progress.ts";
import { isTerminal } from "../session/terminal.ts";
import { upload } from "../upload.ts";

export default command({
  name: "load",
  aliases: ["image load"],
  usage: "[OPTIONS]",
  summary: "Take images in from a tar archive",
  flags: {
    input: text("Read from a file in place of standard input", { short: "i" }),
    platform: text("Platform to load"),
    quiet: bool("Do not show how it goes", { short: "q" }),
  },
  args: [0, 0],
  own: () => true,
  async run({ engine }, { input, quiet }) {
    if (input === undefined && isTerminal(0))
      throw new Failure("requested load from stdin, but stdin is empty");
    const tar = upload(input ?? "-");
    await ping(engine);
    await showProgress(await loadImages(engine, tar, quiet || !isTerminal(1)), { to: 1 });
    return 0;
  },
});
