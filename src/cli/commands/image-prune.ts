import { pruneImages } from "../../client/images.ts";
import { command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { filterFlag, toFilters } from "../filters.ts";
import { bool } from "../flags/flag.ts";
import { out } from "../output.ts";
import { imageLines, prunedText } from "../pruned.ts";

export default command({
  name: "image prune",
  usage: "[OPTIONS]",
  summary: "Remove images without a name",
  flags: {
    all: bool("Remove all images that no container uses", { short: "a" }),
    filter: { ...filterFlag("Remove only what meets a condition (until=24h)"), short: "" },
    force: bool("Do not ask", { short: "f" }),
  },
  args: [0, 0],
  async run({ engine }, { all, filter, force }) {
    const warning = all
      ? "WARNING! This will remove all images without at least one container associated to them."
      : "WARNING! This will remove all dangling images.";
    if (!force && !(await confirm(warning))) return 0;
    const done = await pruneImages(engine, { ...toFilters(filter), dangling: [String(!all)] });
    out(prunedText("Deleted Images:", imageLines(done.ImagesDeleted), done.SpaceReclaimed));
    return 0;
  },
});
