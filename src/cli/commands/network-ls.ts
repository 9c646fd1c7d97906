import { listNetworks } from "../../client/networks.ts";
import { command } from "../command.ts";
import { labelsText, withMethods } from "../container/row.ts";
import { filterFlag, toFilters } from "../filters.ts";
import { bool, text } from "../flags/flag.ts";
import { goTime, shortId } from "../format/human.ts";
import { type Listing, listText } from "../format/rows.ts";
import { out } from "../output.ts";

const listing: Listing = {
  columns: "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
  headers: {
    CreatedAt: "CREATED AT",
    Driver: "DRIVER",
    ID: "NETWORK ID",
    IPv4: "IPV4",
    IPv6: "IPV6",
    Internal: "INTERNAL",
    Labels: "LABELS",
    Name: "NAME",
    Scope: "SCOPE",
  },
  id: "ID",
};

export default command({
  name: "network ls",
  aliases: ["network list"],
  usage: "[OPTIONS]",
  summary: "List networks",
  flags: {
    filter: filterFlag(),
    format: text("Format the list: table, table TEMPLATE, json or a TEMPLATE of Go"),
    "no-trunc": bool("Do not shorten anything"),
    quiet: bool("Show ids only", { short: "q" }),
  },
  args: [0, 0],
  async run({ engine }, options) {
    const found = [...(await listNetworks(engine, toFilters(options.filter)))];
    const rows = found
      .sort((a, b) => a.Name.localeCompare(b.Name, "en", { numeric: true }))
      .map((it) =>
        withMethods(
          {
            CreatedAt: goTime(Date.parse(it.Created) / 1000),
            Driver: it.Driver,
            ID: options["no-trunc"] ? it.Id : shortId(it.Id),
            IPv4: String(it.EnableIPv4),
            IPv6: String(it.EnableIPv6),
            Internal: String(it.Internal),
            Labels: labelsText(it.Labels ?? {}),
            Name: it.Name,
            Scope: it.Scope,
          },
          { Label: (name) => it.Labels?.[String(name)] ?? "" },
        ),
      );
    out(listText(listing, rows, options));
    return 0;
  },
});
