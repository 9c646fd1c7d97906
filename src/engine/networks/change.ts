import { now } from "../../container/time.ts";
import { isBuiltin, type NetworkDocument } from "../../network/document.ts";
import { Refusal } from "../../oci/error.ts";
import type { NetworkCreateRequest, NetworksPruned } from "../../wire/network.ts";
import type { Context } from "../context.ts";
import { type Filters, hasLabels, isDangling } from "./list.ts";
import { tellNetworkItself } from "./tell.ts";
import { membersOf } from "./view.ts";

/**
 * Makes a network, with its bridge.
 * @throws Refusal; nothing is left then
 */
export async function createNetwork(
  context: Context,
  request: NetworkCreateRequest,
): Promise<NetworkDocument> {
  const network = context.networks.create(request, now());
  try {
    await context.links.ensure([network]);
  } catch (error) {
    context.networks.remove(network);
    throw error;
  }
  tellNetworkItself(context, network, "create");
  return network;
}

/**
 * Removes a network and what the host has of it.
 * @throws Refusal (403) for one that is always there or that containers are on
 */
export async function removeNetwork(context: Context, network: NetworkDocument): Promise<void> {
  const { name } = network;
  if (isBuiltin(network))
    throw new Refusal("forbidden", `${name} is a pre-defined network and cannot be removed`);
  const user = context.networks.all().find(({ configFrom }) => network.configOnly && configFrom === name);
  if (user)
    throw new Refusal("forbidden", `configuration network "${name}" is in use by network ${user.name}`);
  const members = Object.values(membersOf(context, network));
  if (members.length > 0) {
    const list = members.map((it) => `name:"${it.Name}" id:"${it.EndpointID.slice(0, 12)}"`).join(", ");
    throw new Refusal(
      "forbidden",
      `error while removing network: network ${name} has active endpoints (${list})`,
    );
  }
  context.networks.remove(network);
  context.naming.forget(network);
  context.remembered.delete(network.id);
  await context.links.remove(network);
  tellNetworkItself(context, network, "destroy");
}

/** Removes networks that nobody is on and that people made. @param before milliseconds since 1970 */
export async function pruneNetworks(
  context: Context,
  filters: Filters,
  before: number | null,
): Promise<NetworksPruned> {
  const deleted: string[] = [];
  for (const network of context.networks.all()) {
    const { label = [], "label!": without = [] } = filters;
    if (!isDangling(context, network) || network.configOnly || !hasLabels(network, label)) continue;
    if (without.some((one) => hasLabels(network, [one]))) continue;
    if (before !== null && Date.parse(network.created) > before) continue;
    try {
      await removeNetwork(context, network);
      deleted.push(network.name);
    } catch (error) {
      context.report(`Cannot prune network ${network.name}: ${String(error)}`);
    }
  }
  context.events.emit("network", "prune", "", { reclaimed: "0" });
  return { NetworksDeleted: deleted.length > 0 ? deleted : null };
}
