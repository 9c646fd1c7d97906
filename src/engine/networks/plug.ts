import { isUp } from "../../container/lifecycle.ts";
import { changeNetFiles, type NetNames } from "../../container/netfiles.ts";
import type { ContainerRecord } from "../../container/record.ts";
import type { NetworkDocument } from "../../network/document.ts";
import { hostLink } from "../../network/drivers/host-link.ts";
import { isBeside } from "../../network/drivers/parent.ts";
import type { Endpoint } from "../../network/endpoint.ts";
import { linkExists } from "../../network/host.ts";
import { namesPlan } from "../../network/wires/names.ts";
import { Refusal, reasonOf } from "../../oci/error.ts";
import { StepError } from "../../plan/error.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { allocate, releaseAll } from "./allocate.ts";
import { checkAsked } from "./check.ts";
import { namesFolder } from "./files.ts";
import { linkedHosts } from "./linked.ts";
import { reattach } from "./reattach.ts";
import { settleName } from "./settle.ts";
import { tellMember } from "./tell.ts";
import { type Place, placesOf, wiresOf } from "./wires.ts";

const SETTING_UP = "failed to set up container networking: ";

/**
 * Addresses on all of a container's networks, which must be there. `unplug` gives them back.
 * @returns the networks
 * @throws Refusal with Docker's sentence; nothing is taken then
 */
export function reserve(context: Context, { record }: Container): readonly NetworkDocument[] {
  try {
    return Object.entries(record.endpoints).map(([name, endpoint]) => {
      const network = context.networks.find(name);
      checkAsked(network, endpoint.asked);
      allocate(context, record, network, endpoint);
      return network;
    });
  } catch (error) {
    releaseAll(context, record);
    throw error;
  }
}

/**
 * Before a start: addresses on all of the container's networks, their bridges and rules, its names there, and its
 * ports on the host. `unplug` takes it back.
 * @returns where it is now
 * @throws Refusal with Docker's sentence; nothing is taken then
 */
export async function plug(context: Context, container: Container): Promise<readonly Place[]> {
  const { record } = container;
  try {
    await settleName(context, record);
    await context.links.ensure(reserve(context, container));
    const places = placesOf(context, record);
    if (places.some(({ network }) => isBeside(network))) await context.insides.settled();
    await context.ports.hold(record, places);
    await context.naming.join(record, places);
    if (record.published?.length) await context.links.refresh();
    return places;
  } catch (error) {
    unplug(context, container);
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.kind, `${SETTING_UP}${error.message}`, { cause: error });
  }
}

/** What the container's own files say of its networks. @throws Refusal (409): a link leads nowhere */
export const netNames = (context: Context, record: ContainerRecord, places: readonly Place[]): NetNames =>
  context.naming.namesOf(
    inOrder(places),
    // Once it runs, a link that leads nowhere any more is no reason to refuse anything.
    linkedHosts(context, record, isUp(record.state.status)),
  );

/** The wires that a start lays. */
export const wiresFor = ({ naming }: Context, places: readonly Place[]): readonly Endpoint[] =>
  wiresOf(places, naming.asksOf(inOrder(places)));

/** Docker's order of a container's addresses: by priority, those with both families first, by name. */
const inOrder = (places: readonly Place[]): readonly Place[] =>
  places.toSorted(
    (a, b) =>
      (b.saved.asked.GwPriority ?? 0) - (a.saved.asked.GwPriority ?? 0) ||
      Number(b.live.ipv6 !== null) - Number(a.live.ipv6 !== null) ||
      (a.network.name < b.network.name ? -1 : 1),
  );

/**
 * A running container is on other networks than before: its names there, its own files and its ports follow.
 * @param before what its files said
 */
export async function follow(context: Context, record: ContainerRecord, before: NetNames): Promise<void> {
  const places = placesOf(context, record);
  await context.naming.join(record, places);
  const after = netNames(context, record, places);
  if (JSON.stringify(before.asks) !== JSON.stringify(after.asks))
    await context.runPlan(namesPlan(record.state.pid, after.asks));
  changeNetFiles(namesFolder(context, record), record, before, after);
  const published = record.published;
  await context.ports.move(record, places);
  if (published !== record.published) await context.links.refresh();
}

/**
 * Whether a start failed because a link of the host is not there any more. It is made again then, and the start is
 * worth another attempt.
 */
export async function repaired(context: Context, { record }: Container, error: unknown): Promise<boolean> {
  if (!(error instanceof StepError) || error.errno !== "ENODEV") return false;
  const gone = placesOf(context, record)
    .map(({ network }) => network)
    .filter((network) => {
      const link = hostLink(network);
      return link !== null && !linkExists(link.name);
    });
  for (const network of gone) context.links.forget(network);
  await context.links.ensure(gone);
  for (const network of gone) await reattach(context, network);
  return gone.length > 0;
}

/** After the end, or a start that failed: addresses, names and ports are free again. */
export function unplug(context: Context, { record }: Container): void {
  context.naming.leave(record);
  context.insides.release(record, placesOf(context, record));
  if (context.ports.release(record)) {
    context.links.refresh().catch((error: unknown) => {
      context.report(`Cannot take the ports of ${record.name} out of the rules: ${reasonOf(error)}`);
    });
  }
  releaseAll(context, record);
}

/** `connect` and `disconnect` of everything that a container is on. */
export function tellPlaces(
  context: Context,
  { record }: Container,
  places: readonly Place[],
  action: "connect" | "disconnect",
): void {
  for (const { network } of places) tellMember(context, network, record, action);
}

/** As Docker tells of a start that failed: it has left all its networks, however far it had come. */
export function tellLeft(context: Context, { record }: Container): void {
  for (const name of Object.keys(record.endpoints)) {
    const network = context.networks.byName(name);
    if (network) tellMember(context, network, record, "disconnect");
  }
}
