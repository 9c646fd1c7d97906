import { commitContainer } from "../../client/images.ts";
import { command } from "../command.ts";
import { bool, list, text } from "../flags/flag.ts";
import { splitReference } from "../image/pull.ts";
import { out } from "../output.ts";

export default command({
  name: "commit",
  aliases: ["container commit"],
  usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
  summary: "Make an image from what a container has changed",
  flags: {
    author: text("Author of the image", { short: "a" }),
    change: list("Apply a Dockerfile instruction to the image", { short: "c" }),
    message: text("Message of the commit", { short: "m" }),
    pause: bool("Pause the container meanwhile", { short: "p", initial: true }),
  },
  args: [1, 2],
  async run({ engine }, options, [container = "", reference]) {
    const { name: repo, tag } = reference ? splitReference(reference) : { name: undefined, tag: undefined };
    const query = {
      container,
      repo,
      tag,
      author: options.author,
      comment: options.message,
      changes: options.change,
      pause: options.pause ? "1" : "0",
    };
    out(`${await commitContainer(engine, query)}\n`);
    return 0;
  },
});
