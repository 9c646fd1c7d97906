import { imageHistory } from "../../client/images.ts";
import type { ImageHistoryItem } from "../../wire/image.ts";
import { command } from "../command.ts";
import { bool, text } from "../flags/flag.ts";
import { ago, ellipsis, humanSize, shortId } from "../format/human.ts";
import { type Listing, listText } from "../format/rows.ts";
import type { Fields } from "../format/value.ts";
import { out } from "../output.ts";

const listing: Listing = {
  columns: "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
  headers: {
    Comment: "COMMENT",
    CreatedAt: "CREATED AT",
    CreatedBy: "CREATED BY",
    CreatedSince: "CREATED",
    ID: "IMAGE",
    Size: "SIZE",
  },
  id: "ID",
};

export default command({
  name: "history",
  aliases: ["image history"],
  usage: "[OPTIONS] IMAGE",
  summary: "Show how an image came about",
  flags: {
    format: text("Format the list: table, table TEMPLATE, json or a TEMPLATE of Go"),
    human: bool("Show sizes and dates for people", { short: "H", initial: true }),
    "no-trunc": bool("Do not shorten anything"),
    platform: text("Platform of the image"),
    quiet: bool("Show ids only", { short: "q" }),
  },
  args: [1, 1],
  async run({ engine }, options, [name = ""]) {
    const items = await imageHistory(engine, name);
    out(
      listText(
        listing,
        items.map((it) => row(it, !options["no-trunc"], options.human)),
        options,
      ),
    );
    return 0;
  },
});

function row(it: ImageHistoryItem, truncate: boolean, human: boolean): Fields {
  const by = it.CreatedBy.replaceAll("\t", " ");
  const at = new Date(it.Created * 1000).toISOString().replace(".000Z", "Z");
  return {
    Comment: it.Comment,
    CreatedAt: at,
    CreatedBy: truncate ? ellipsis(by, 45) : by,
    CreatedSince: human ? ago(it.Created) : at,
    ID: truncate ? shortId(it.Id) : it.Id,
    Size: human ? humanSize(it.Size) : String(it.Size),
  };
}
