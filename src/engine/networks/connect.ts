import { newEndpoint } from "../../container/endpoint.ts";
import { isUp } from "../../container/lifecycle.ts";
import type { ContainerRecord } from "../../container/record.ts";
import { containerOf } from "../../container/spec/mode.ts";
import type { NetworkDocument } from "../../network/document.ts";
import { connectPlan, disconnectPlan, reroutePlan } from "../../network/wires/live.ts";
import { Refusal } from "../../oci/error.ts";
import type { EndpointSettings } from "../../wire/endpoint.ts";
import { type Container, serially } from "../container.ts";
import type { Context } from "../context.ts";
import { invalid } from "../refuse.ts";
import { allocate, release } from "./allocate.ts";
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
    checkConnect(network, record);
    if (network.name === "bridge") {
      await settleName(context);
      // It may be called otherwise from now on.
      network = context.networks.byName("bridge") ?? network;
    }
    const endpoint = newEndpoint(settings);
    checkAsked(network, endpoint.asked);
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
    try {
      allocate(context, record, network, endpoint);
      await context.links.ensure([network]);
      await lay(context, record, network.id);
      await follow(context, record, names);
    } catch (error) {
      release(context, endpoint);
      if (before) record.endpoints[network.name] = before;
      else delete record.endpoints[network.name];
      throw error;
    }
    // Alone it was on no network.
    if (record.endpoints.none) delete record.endpoints.none;
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
      const which = up ? "network" : "the network";
      throw new Refusal("failed", `container ${record.id} is not connected to ${which} ${name}`);
    }
    if (up) {
      const names = netNames(context, record, placesOf(context, record));
      await take(context, record, network.id);
      release(context, endpoint);
      await follow(context, record, names);
    }
    delete record.endpoints[name];
    context.store.save(record);
    if (up) tellMember(context, network, record, "disconnect");
  });

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
