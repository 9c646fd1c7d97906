import { createImage } from "../../client/images.ts";
import { ping } from "../../client/system.ts";
import { command } from "../command.ts";
import { list, text } from "../flags/flag.ts";
import { showProgress } from "../image/progress.ts";
import { splitReference } from "../image/pull.ts";
import { upload } from "../upload.ts";

export default command({
  name: "import",
  aliases: ["image import"],
  usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
  summary: "Make an image from a tar archive of a file system",
  flags: {
    change: list("Apply a Dockerfile instruction to the image", { short: "c" }),
    message: text("Message of the import", { short: "m" }),
    platform: text("Platform of the image"),
  },
  args: [1, 2],
  own: () => true,
  async run({ engine }, { change: changes, message, platform }, [source = "", reference = ""]) {
    const { name: repo, tag } = reference ? splitReference(reference) : { name: "", tag: "" };
    const remote = /^https?:\/\//.test(source);
    const body = remote ? undefined : upload(source);
    if (body) await ping(engine);
    const query = { fromSrc: remote ? source : "-", repo, tag, message, platform, changes };
    await showProgress(await createImage(engine, query, body), { to: 1 });
    return 0;
  },
});
