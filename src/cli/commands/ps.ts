import { listContainers } from "../../client/containers.ts";
import { command } from "../command.ts";
import { containerListing, containerRow } from "../container/row.ts";
import { filterFlag, toFilters } from "../filters.ts";
import { bool, int, text } from "../flags/flag.ts";
import { listText, template } from "../format/rows.ts";
import { err, out } from "../output.ts";

export default command({
  name: "ps",
  aliases: ["container ls", "container list", "container ps"],
  usage: "[OPTIONS]",
  summary: "List containers",
  flags: {
    all: bool("Show all containers, not only running ones", { short: "a" }),
    filter: filterFlag(),
    format: text("Format the list: table, table TEMPLATE, json or a TEMPLATE of Go"),
    last: int("Show the last n made containers, in any state", { short: "n", shown: "-1" }),
    latest: bool("Show the container made last, in any state", { short: "l" }),
    "no-trunc": bool("Do not shorten anything"),
    quiet: bool("Show ids only", { short: "q" }),
    size: bool("Show sizes", { short: "s" }),
  },
  args: [0, 0],
  async run({ engine }, options) {
    const { quiet } = options;
    if (quiet && options.format)
      err("WARNING: Ignoring custom format, because both --format and --quiet are set.\n");
    const format = quiet ? undefined : options.format;
    if (format !== undefined && !/^(json|table)$/.test(format)) template(format.replace(/^table\s+/, ""));
    const limit = options.latest ? 1 : (options.last ?? -1);
    const size = options.size || (format?.includes(".Size") ?? false);
    const found = await listContainers(engine, {
      all: options.all || limit > 0,
      ...(limit > 0 && { limit }),
      size,
      filters: toFilters(options.filter),
    });
    const rows = found.map((it) => containerRow(it, !options["no-trunc"]));
    const columns = containerListing.columns + (options.size ? "\t{{.Size}}" : "");
    out(listText({ ...containerListing, columns }, rows, { format, quiet }));
    return 0;
  },
});
