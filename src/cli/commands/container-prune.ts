import { pruneContainers } from "../../client/containers.ts";
import { command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { filterFlag, toFilters } from "../filters.ts";
import { bool } from "../flags/flag.ts";
import { out } from "../output.ts";
import { prunedText } from "../pruned.ts";

export default command({
  name: "container prune",
  usage: "[OPTIONS]",
  summary: "Remove all stopped containers",
  flags: {
    filter: { ...filterFlag("Remove only what meets a condition (until=24h)"), short: "" },
    force: bool("Do not ask", { short: "f" }),
  },
  args: [0, 0],
  async run({ engine }, { filter, force }) {
    if (!force && !(await confirm("WARNING! This will remove all stopped containers."))) return 0;
    const done = await pruneContainers(engine, toFilters(filter));
    out(prunedText("Deleted Containers:", done.ContainersDeleted, done.SpaceReclaimed));
    return 0;
  },
});
