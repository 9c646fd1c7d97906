import { pruneVolumes } from "../../client/volumes.ts";
import { command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { filterFlag, toFilters } from "../filters.ts";
import { bool } from "../flags/flag.ts";
import { out } from "../output.ts";
import { prunedText } from "../pruned.ts";

export default command({
  name: "volume prune",
  usage: "[OPTIONS]",
  summary: "Remove volumes that no container uses",
  flags: {
    all: bool("Remove also those with a name", { short: "a" }),
    filter: { ...filterFlag("Remove only what meets a condition (label=name)"), short: "" },
    force: bool("Do not ask", { short: "f" }),
  },
  args: [0, 0],
  async run({ engine }, { all, filter, force }) {
    const which = all ? "all" : "anonymous";
    const warning = `WARNING! This will remove ${which} local volumes not used by at least one container.`;
    if (!force && !(await confirm(warning))) return 0;
    const done = await pruneVolumes(engine, { ...toFilters(filter), ...(all && { all: ["true"] }) });
    out(prunedText("Deleted Volumes:", done.VolumesDeleted, done.SpaceReclaimed));
    return 0;
  },
});
