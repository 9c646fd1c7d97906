import { listImages } from "../../client/images.ts";
import { command } from "../command.ts";
import { filterFlag, toFilters } from "../filters.ts";
import { bool, text } from "../flags/flag.ts";
import { listText } from "../format/rows.ts";
import { imageListing, imageRows } from "../image/row.ts";
import { out } from "../output.ts";

export default command({
  name: "images",
  aliases: ["image ls", "image list"],
  usage: "[OPTIONS] [REPOSITORY[:TAG]]",
  summary: "List images",
  flags: {
    all: bool("Show intermediate images too", { short: "a" }),
    digests: bool("Show digests"),
    filter: filterFlag(),
    format: text("Format the list: table, table TEMPLATE, json or a TEMPLATE of Go"),
    "no-trunc": bool("Do not shorten anything"),
    quiet: bool("Show ids only", { short: "q" }),
  },
  args: [0, 1],
  async run({ engine }, options, [reference]) {
    const filters = toFilters([...options.filter, ...(reference ? [["reference", reference] as const] : [])]);
    const found = await listImages(engine, { all: options.all, filters });
    const rows = found.flatMap((it) => imageRows(it, !options["no-trunc"], options.digests));
    const listing = options.digests
      ? { ...imageListing, columns: imageListing.columns.replace("{{.Tag}}\t", "{{.Tag}}\t{{.Digest}}\t") }
      : imageListing;
    out(listText(listing, rows, options));
    return 0;
  },
});
