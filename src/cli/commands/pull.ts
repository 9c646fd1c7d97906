import { command } from "../command.ts";
import { bool, text } from "../flags/flag.ts";
import { pullImage, splitReference } from "../image/pull.ts";
import { out } from "../output.ts";

export default command({
  name: "pull",
  aliases: ["image pull"],
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
  summary: "Fetch an image from a registry",
  flags: {
    platform: text("Platform of the image (linux/arm64)"),
    quiet: bool("Do not show how it goes", { short: "q" }),
  },
  args: [1, 1],
  async run({ engine }, { platform, quiet }, [image = ""]) {
    const { name, tag } = splitReference(image);
    if (!quiet && !/[:@]/.test(image.slice(image.lastIndexOf("/") + 1))) out("Using default tag: latest\n");
    await pullImage(engine, image, { platform, quiet, to: 1 });
    out(`${name}${tag.includes(":") ? "@" : ":"}${tag}\n`);
    return 0;
  },
});
