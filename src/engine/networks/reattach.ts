import type { NetworkDocument } from "../../network/document.ts";
import { driverOf } from "../../network/drivers/drivers.ts";
import { attachPlan } from "../../network/wires/bridge.ts";
import { lookPlan, readLook } from "../../network/wires/look.ts";
import type { Context } from "../context.ts";

/** A bridge was made again: the containers that run on its network have their ends of cables still, and are tied to it. */
export async function reattach(context: Context, network: NetworkDocument): Promise<void> {
  const wanted = new Set(
    context.containers
      .values()
      .flatMap(({ record }) => Object.values(record.endpoints))
      .flatMap(({ live }) => (live?.networkId === network.id ? [live.host] : [])),
  );
  const link = driverOf(network).link(network, "");
  if (wanted.size === 0 || link?.driver !== "bridge") return;
  const links = readLook((await context.runPlan(lookPlan([]))).output).get(0)?.links ?? [];
  const bridge = links.find(({ name }) => name === link.bridge);
  const ends = links
    .filter(({ name, master }) => wanted.has(name) && master !== bridge?.index)
    .map(({ name, index }) => ({ name, index, isolated: link.isolated ?? false }));
  if (bridge && ends.length > 0) await context.runPlan(attachPlan(bridge, ends));
}
