import { diskUsage } from "../../client/system.ts";
import type { DiskUsage } from "../../wire/system.ts";
import { command } from "../command.ts";
import { containerRow } from "../container/row.ts";
import { Failure } from "../failure.ts";
import { bool, text } from "../flags/flag.ts";
import { humanSize } from "../format/human.ts";
import { type Listing, listText } from "../format/rows.ts";
import type { Fields } from "../format/value.ts";
import { imageListing, imageRows } from "../image/row.ts";
import { out } from "../output.ts";

const summary: Listing = {
  columns: "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}",
  headers: { Active: "ACTIVE", Reclaimable: "RECLAIMABLE", Size: "SIZE", TotalCount: "TOTAL", Type: "TYPE" },
};

const images: Listing = {
  ...imageListing,
  columns:
    "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}",
};

const containers: Listing = {
  columns:
    "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}",
  headers: {
    Command: "COMMAND",
    ID: "CONTAINER ID",
    Image: "IMAGE",
    LocalVolumes: "LOCAL VOLUMES",
    Names: "NAMES",
    RunningFor: "CREATED",
    Size: "SIZE",
    Status: "STATUS",
  },
};

const volumes: Listing = {
  columns: "{{.Name}}\t{{.Links}}\t{{.Size}}",
  headers: { Links: "LINKS", Name: "VOLUME NAME", Size: "SIZE" },
};

export default command({
  name: "system df",
  usage: "[OPTIONS]",
  summary: "Show how much disk is used, and how much could be freed",
  flags: {
    format: text("Format the list: table, table TEMPLATE, json or a TEMPLATE of Go"),
    verbose: bool("Show each image, container and volume", { short: "v" }),
  },
  args: [0, 0],
  async run({ engine }, { format, verbose }) {
    if (verbose && format !== undefined && format !== "json")
      throw new Failure("the --verbose option takes no template");
    const usage = await diskUsage(engine);
    out(verbose ? details(usage) : listText(summary, totals(usage), { format }));
    return 0;
  },
});

function totals(it: DiskUsage): readonly Fields[] {
  const allImages = it.Images ?? [];
  const used = allImages.filter((image) => image.Containers > 0);
  const inUse = used.reduce((sum, image) => sum + Math.max(0, image.Size - Math.max(0, image.SharedSize)), 0);
  const all = it.Containers ?? [];
  const active = all.filter((one) => ["running", "paused", "restarting"].includes(one.State));
  const size = (list: typeof all) => list.reduce((sum, one) => sum + (one.SizeRw ?? 0), 0);
  const own = it.Volumes ?? [];
  const linked = own.filter((volume) => (volume.UsageData?.RefCount ?? 0) > 0);
  const bytes = (list: typeof own) =>
    list.reduce((sum, volume) => sum + Math.max(0, volume.UsageData?.Size ?? 0), 0);
  const cache = it.BuildCache ?? [];
  const cached = cache.reduce((sum, item) => sum + (item.Shared ? 0 : item.Size), 0);
  const busy = cache.filter((item) => item.InUse);
  return [
    total(
      "Images",
      allImages.length,
      used.length,
      it.LayersSize,
      used.length > 0 ? it.LayersSize - inUse : it.LayersSize,
    ),
    total("Containers", all.length, active.length, size(all), size(all) - size(active)),
    total("Local Volumes", own.length, linked.length, bytes(own), bytes(own) - bytes(linked)),
    {
      ...total("Build Cache", cache.length, busy.length, cached, 0),
      Reclaimable: humanSize(cached - busy.reduce((sum, item) => sum + (item.Shared ? 0 : item.Size), 0), 4),
    },
  ];
}

function total(type: string, count: number, active: number, size: number, reclaimable: number): Fields {
  const percent = size > 0 ? ` (${Math.floor((reclaimable * 100) / size)}%)` : "";
  return {
    Active: String(active),
    Reclaimable: humanSize(reclaimable, 4) + percent,
    Size: humanSize(size, 4),
    TotalCount: String(count),
    Type: type,
  };
}

function details(it: DiskUsage): string {
  const imageTable = (it.Images ?? []).flatMap((image) =>
    imageRows(image, true, false).map((row) => ({
      ...row,
      UniqueSize: humanSize(image.Size - Math.max(0, image.SharedSize), 4),
    })),
  );
  const containerTable = (it.Containers ?? []).map((one) => ({
    ...containerRow(one, true),
    Size: humanSize(one.SizeRw ?? 0),
  }));
  const volumeTable = (it.Volumes ?? []).map((volume) => ({
    Links: String(volume.UsageData?.RefCount ?? 0),
    Name: volume.Name,
    Size: humanSize(Math.max(0, volume.UsageData?.Size ?? 0)),
  }));
  const cached = (it.BuildCache ?? []).reduce((sum, item) => sum + item.Size, 0);
  return [
    `Images space usage:\n\n${listText(images, imageTable, {})}`,
    `Containers space usage:\n\n${listText(containers, containerTable, {})}`,
    `Local Volumes space usage:\n\n${listText(volumes, volumeTable, {})}`,
    `Build cache usage: ${humanSize(cached, 4)}\n\nCACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED   USAGE     SHARED\n`,
  ].join("\n");
}
