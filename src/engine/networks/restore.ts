import { isUp } from "../../container/lifecycle.ts";
import type { NetworkDocument } from "../../network/document.ts";
import { isBeside } from "../../network/drivers/parent.ts";
import { reasonOf } from "../../oci/error.ts";
import type { Context } from "../context.ts";
import { settle } from "./connect.ts";
import { reattach } from "./reattach.ts";
import { settleName } from "./settle.ts";
import { placesOf } from "./wires.ts";

/** Whether a container that is up is on the network. */
export const inUse = ({ containers }: Pick<Context, "containers">, { id }: NetworkDocument): boolean =>
  containers
    .values()
    .some(
      ({ record }) =>
        isUp(record.state.status) &&
        Object.values(record.endpoints).some(({ live }) => live?.networkId === id),
    );

/**
 * Once it is known which containers run: bridges of networks that people made are there again, rules are made anew in
 * one batch, and what is left of networks that are gone goes.
 */
export async function restoreNetworks(context: Context): Promise<void> {
  const { links, networks } = context;
  const before = networks.byName("bridge");
  if (before && !inUse(context, before)) {
    networks.settleDefault();
    await settleName(context).catch((error: unknown) => context.report(reasonOf(error)));
  }
  const standard = networks.byName("bridge");
  // The default bridge is made for the first container that is on it.
  const wanted = networks.all().filter((network) => network !== standard || inUse(context, network));
  const up = [...context.containers.values()].filter(({ record }) => isUp(record.state.status));
  // Before the rules, which lead to them.
  for (const { record } of up) await context.ports.restore(record);
  try {
    const again = await links.restore(wanted, (network, error) =>
      context.report(`Network ${network.name} is not there: ${reasonOf(error)}`),
    );
    for (const network of again) await reattach(context, network);
    for (const { record } of up) await context.naming.join(record, placesOf(context, record));
    for (const { record } of up)
      if (placesOf(context, record).some(({ network }) => isBeside(network))) context.insides.hold(record);
    for (const container of up) await settle(context, container);
  } catch (error) {
    context.report(`Networks are not whole: ${reasonOf(error)}`);
  }
}

/** When the engine ends: bridges that no running container is on go, and with the last of them the rules. */
export async function leaveNetworks(context: Context): Promise<void> {
  try {
    await context.links.removeUnused((network) => inUse(context, network));
  } catch (error) {
    context.report(`Cannot remove what is left of networks: ${reasonOf(error)}`);
  }
}
