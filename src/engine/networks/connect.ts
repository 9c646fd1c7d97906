import { newEndpoint } from "../../container/endpoint.ts";
import { isUp } from "../../container/lifecycle.ts";
import type { ContainerRecord } from "../../container/record.ts";
import { containerOf } from "../../container/spec/mode.ts";
import type { NetworkDocument } from "../../network/document.ts";
import { isBeside } from "../../network/drivers/parent.ts";
import { connectPlan, disconnectPlan, reroutePlan } from "../../network/wires/live.ts";
import { Refusal, reasonOf } from "../../oci/error.ts";
import type { EndpointSettings } from "../../wire/endpoint.ts";
import { type Container, serially } from "../container.ts";
import type { Context } from "../context.ts";
import { invalid } from "../refuse.ts";
import { allocate, release } from "./allocate.ts";
import { announce } from "./announce.ts";
import { checkAsked } from "./check.ts";
import { follow, netNames } from "./plug.ts";
import { settleName } from "./settle.ts";
import { tellMember } from "./tell.ts";
import { placesOf, wiresBy } from "./wires.ts";

/**
 * Puts a container on a further network, at once when it runs.
 * @throws Refusal in Docker's words; nothing is changed then
 */
export const connect = (
  context: Context,
  network: NetworkDocument,
  container: Container,
  settings: EndpointSettings | null | undefined,
): Promise<void> =>
  serially(container, async () => {
    const { record } = container;
    const endpoint = newEndpoint(settings);
    const shared = containerOf(record.host.NetworkMode) !== undefined;
    // In Docker's order.
    if (!shared) checkAsked(network, endpoint.asked);
    checkConnect(network, record);
    if (network.name === "bridge") {
      await settleName(context);
      // It may be called otherwise from now on.
      network = context.networks.byName("bridge") ?? network;
    }
    if (!isUp(record.state.status)) {
      record.endpoints[network.name] = { ...endpoint, networkId: network.id };
      context.store.save(record);
      return;
    }
    if (record.endpoints[network.name]?.live) {
      throw new Refusal(
        "forbidden",
        `endpoint with name ${record.name} already exists in network ${network.name}`,
      );
    }
    const before = record.endpoints[network.name];
    const names = netNames(context, record, placesOf(context, record));
    record.endpoints[network.name] = endpoint;
    let laid = false;
    try {
      allocate(context, record, network, endpoint);
      // Written down before anybody has the address: whoever is killed from here on, it is not lost.
      endpoint.unsettled = true;
      context.store.save(record);
      await context.links.ensure([network]);
      if (isBeside(network)) {
        await context.insides.settled();
        context.insides.hold(record);
      }
      await lay(context, record, network.id);
      laid = true;
      await follow(context, record, names);
      const place = placesOf(context, record).filter((one) => one.network.id === network.id);
      await announce(context, record.state.pid, place);
    } catch (error) {
      const after = netNames(context, record, placesOf(context, record));
      if (laid) await quietly(context, () => take(context, record, network.id));
      release(context, endpoint);
      if (before) record.endpoints[network.name] = before;
      else delete record.endpoints[network.name];
      // A port that the new way out needs is taken: names and files are what they were, too.
      if (laid) await quietly(context, () => follow(context, record, after));
      context.store.save(record);
      throw error;
    }
    delete endpoint.unsettled;
    context.store.save(record);
    tellMember(context, network, record, "connect");
  });

/**
 * Takes a container off a network, at once when it runs.
 * @throws Refusal in Docker's words; nothing is changed then
 */
export const disconnect = (context: Context, network: NetworkDocument, container: Container): Promise<void> =>
  serially(container, async () => {
    const { record } = container;
    const { name } = network;
    const endpoint = record.endpoints[name];
    const up = isUp(record.state.status);
    if (name === "host" && endpoint) {
      throw invalid(
        "cannot disconnect container from host network - container was created in host network mode",
      );
    }
    if (!endpoint || (up && !endpoint.live)) {
      throw notConnected(record, up ? "network" : "the network", name);
    }
    if (up) {
      const names = netNames(context, record, placesOf(context, record));
      endpoint.unsettled = true;
      context.store.save(record);
      await take(context, record, network.id);
      release(context, endpoint);
      await follow(context, record, names);
    }
    delete record.endpoints[name];
    if (!placesOf(context, record).some((place) => isBeside(place.network)))
      context.insides.release(record, []);
    context.store.save(record);
    if (up) tellMember(context, network, record, "disconnect");
  });

/**
 * Takes a container that does not run off a network that is not there any more.
 * @param force one that runs, too
 */
export const disconnectGone = (
  context: Context,
  reference: string,
  container: Container,
  force: boolean,
): Promise<void> =>
  serially(container, async () => {
    const { record } = container;
    // In Docker's words.
    if (isUp(record.state.status) && !force) context.networks.find(reference);
    if (!Object.hasOwn(record.endpoints, reference)) throw notConnected(record, "the network", reference);
    delete record.endpoints[reference];
    context.store.save(record);
  });

const notConnected = ({ id }: ContainerRecord, which: string, name: string): Refusal =>
  new Refusal("failed", `container ${id} is not connected to ${which} ${name.slice(0, 255)}`);

/** What an engine that was killed was about to change: the container is off these networks. */
export async function settle(context: Context, container: Container): Promise<void> {
  for (const [name, { unsettled }] of Object.entries(container.record.endpoints)) {
    const network = unsettled && context.networks.byName(name);
    if (network) await disconnect(context, network, container);
  }
}

function checkConnect(network: NetworkDocument, record: ContainerRecord): void {
  const { NetworkMode: mode } = record.host;
  if (mode === "host" || containerOf(mode) !== undefined) {
    throw invalid(
      "container sharing network namespace with another container or host cannot be connected to any other network",
    );
  }
  if (network.name === "host") {
    throw invalid(
      "cannot connect container to host network - container must be created in host network mode",
    );
  }
  const names = Object.keys(record.endpoints);
  if (names.includes("none") || (network.name === "none" && names.length > 0)) {
    throw invalid(
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    );
  }
  if (network.configOnly)
    throw new Refusal("forbidden", `configuration network ${network.name} cannot be connected to`);
}

/** What is taken back: it has ended in the meantime, or somebody hears of it. */
async function quietly({ report }: Context, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    report(`Cannot take a connection back: ${reasonOf(error)}`);
  }
}

/** Lays the interface of a network that the record has it on already. */
async function lay(context: Context, { state, ...record }: ContainerRecord, id: string): Promise<void> {
  const wire = wiresBy(placesOf(context, record)).get(id);
  if (wire) await context.runPlan(connectPlan(state.pid, wire));
}

/** Takes the interface of a network away. What led everywhere else through it leads through another one then. */
async function take(context: Context, { state, ...record }: ContainerRecord, id: string): Promise<void> {
  const places = placesOf(context, record);
  const before = wiresBy(places);
  const wire = before.get(id);
  if (!wire) return;
  await context.runPlan(disconnectPlan(state.pid, wire));
  const after = wiresBy(places.filter((place) => place.network.id !== id));
  for (const [other, left] of after) {
    if (JSON.stringify(left) !== JSON.stringify(before.get(other)))
      await context.runPlan(reroutePlan(state.pid, left));
  }
}
