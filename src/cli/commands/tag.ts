import { tagImage } from "../../client/images.ts";
import { command } from "../command.ts";
import { splitReference } from "../image/pull.ts";

export default command({
  name: "tag",
  aliases: ["image tag"],
  usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  summary: "Give an image one more name",
  flags: {},
  args: [2, 2],
  async run({ engine }, _, [source = "", target = ""]) {
    const { name, tag } = splitReference(target);
    await tagImage(engine, source, name, tag);
    return 0;
  },
});
