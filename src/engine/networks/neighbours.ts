import { isUp } from "../../container/lifecycle.ts";
import { neighbourNetFiles } from "../../container/netfiles.ts";
import type { Context } from "../context.ts";
import { namesFolder } from "./files.ts";
import { netNames } from "./plug.ts";
import { placesOf } from "./wires.ts";

/** Others are on these networks than before: whoever runs there finds the names of the others in its hosts file. */
export function tellNeighbours(context: Context, networks: ReadonlySet<string>): void {
  for (const { record } of context.containers.values()) {
    if (!isUp(record.state.status)) continue;
    const isOn = Object.values(record.endpoints).some(({ live }) => live && networks.has(live.networkId));
    if (!isOn) continue;
    const { neighbours } = netNames(context, record, placesOf(context, record));
    neighbourNetFiles(namesFolder(context, record), neighbours);
  }
}
