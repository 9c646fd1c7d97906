import { pruneNetworks } from "../../client/networks.ts";
import { command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { filterFlag, toFilters } from "../filters.ts";
import { bool } from "../flags/flag.ts";
import { out } from "../output.ts";

export default command({
  name: "network prune",
  usage: "[OPTIONS]",
  summary: "Remove networks that no container uses",
  flags: {
    filter: { ...filterFlag("Remove only what meets a condition (label=name, until=24h)"), short: "" },
    force: bool("Do not ask", { short: "f" }),
  },
  args: [0, 0],
  async run({ engine }, { filter, force }) {
    const warning = "WARNING! This will remove all custom networks not used by at least one container.";
    if (!force && !(await confirm(warning))) return 0;
    const { NetworksDeleted } = await pruneNetworks(engine, toFilters(filter));
    if (NetworksDeleted?.length) out(`Deleted Networks:\n${NetworksDeleted.join("\n")}\n\n`);
    return 0;
  },
});
