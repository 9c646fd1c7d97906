import { pruneContainers } from "../../client/containers.ts";
import { pruneImages } from "../../client/images.ts";
import { pruneNetworks } from "../../client/networks.ts";
import { pruneBuilds } from "../../client/system.ts";
import { pruneVolumes } from "../../client/volumes.ts";
import { command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { filterFlag, toFilters } from "../filters.ts";
import { bool } from "../flags/flag.ts";
import { humanSize } from "../format/human.ts";
import { out } from "../output.ts";
import { imageLines } from "../pruned.ts";

export default command({
  name: "system prune",
  usage: "[OPTIONS]",
  summary: "Remove what nothing uses",
  flags: {
    all: bool("Remove all unused images, not only those without a name", { short: "a" }),
    filter: { ...filterFlag("Remove only what meets a condition (label=name)"), short: "" },
    force: bool("Do not ask", { short: "f" }),
    volumes: bool("Remove anonymous volumes too"),
  },
  args: [0, 0],
  async run({ engine }, { all, filter, force, volumes }) {
    if (!force && !(await confirm(warning(all, volumes)))) return 0;
    const filters = toFilters(filter);
    let bytes = 0;
    const tell = (title: string, names: readonly string[] | null, freed: number) => {
      if (names?.length) out(`${title}\n${names.join("\n")}\n\n`);
      bytes += freed;
    };
    const containers = await pruneContainers(engine, filters);
    tell("Deleted Containers:", containers.ContainersDeleted, containers.SpaceReclaimed);
    tell("Deleted Networks:", (await pruneNetworks(engine, filters)).NetworksDeleted, 0);
    if (volumes) {
      const done = await pruneVolumes(engine, filters);
      tell("Deleted Volumes:", done.VolumesDeleted, done.SpaceReclaimed);
    }
    const images = await pruneImages(engine, { ...filters, dangling: [String(!all)] });
    tell("Deleted Images:", imageLines(images.ImagesDeleted), images.SpaceReclaimed);
    const builds = await pruneBuilds(engine, filters);
    tell("Deleted build cache objects:", builds.CachesDeleted, builds.SpaceReclaimed);
    out(`Total reclaimed space: ${humanSize(bytes, 4)}\n`);
    return 0;
  },
});

function warning(all: boolean, volumes: boolean): string {
  return [
    "WARNING! This will remove:",
    "  - all stopped containers",
    "  - all networks not used by at least one container",
    ...(volumes ? ["  - all anonymous volumes not used by at least one container"] : []),
    all ? "  - all images without at least one container associated to them" : "  - all dangling images",
    all ? "  - all build cache\n" : "  - unused build cache\n",
  ].join("\n");
}
