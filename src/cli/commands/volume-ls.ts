import { listVolumes } from "../../client/volumes.ts";
import { command } from "../command.ts";
import { labelsText, withMethods } from "../container/row.ts";
import { filterFlag, toFilters } from "../filters.ts";
import { bool, text } from "../flags/flag.ts";
import { type Listing, listText } from "../format/rows.ts";
import { out } from "../output.ts";

const listing: Listing = {
  columns: "{{.Driver}}\t{{.Name}}",
  headers: {
    Availability: "AVAILABILITY",
    Driver: "DRIVER",
    Group: "GROUP",
    Labels: "LABELS",
    Links: "LINKS",
    Mountpoint: "MOUNTPOINT",
    Name: "VOLUME NAME",
    Scope: "SCOPE",
    Size: "SIZE",
    Status: "STATUS",
  },
  id: "Name",
};

export default command({
  name: "volume ls",
  aliases: ["volume list"],
  usage: "[OPTIONS]",
  summary: "List volumes",
  flags: {
    filter: filterFlag(),
    format: text("Format the list: table, table TEMPLATE, json or a TEMPLATE of Go"),
    quiet: bool("Show names only", { short: "q" }),
  },
  args: [0, 0],
  async run({ engine }, options) {
    const found = [...(await listVolumes(engine, toFilters(options.filter)))];
    const rows = found
      .sort((a, b) => a.Name.localeCompare(b.Name, "en", { numeric: true }))
      .map((it) =>
        withMethods(
          {
            Availability: "N/A",
            Driver: it.Driver,
            Group: "N/A",
            Labels: labelsText(it.Labels ?? {}),
            Links: "N/A",
            Mountpoint: it.Mountpoint,
            Name: it.Name,
            Scope: it.Scope,
            Size: "N/A",
            Status: "N/A",
          },
          { Label: (name) => it.Labels?.[String(name)] ?? "" },
        ),
      );
    out(listText(listing, rows, options));
    return 0;
  },
});
