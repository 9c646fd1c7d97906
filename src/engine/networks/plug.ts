import type { NetworkDocument } from "../../network/document.ts";
import { Refusal } from "../../oci/error.ts";
import { StepError } from "../../plan/error.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { allocate, releaseAll } from "./allocate.ts";
import { checkAsked } from "./check.ts";
import { tellMember } from "./tell.ts";
import { placesOf } from "./wires.ts";

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
 * Before a start: addresses on all of the container's networks, and their bridges and rules. `unplug` takes it back.
 * @throws Refusal with Docker's sentence; nothing is taken then
 */
export async function plug(context: Context, container: Container): Promise<void> {
  try {
    await context.links.ensure(reserve(context, container));
  } catch (error) {
    unplug(context, container);
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.kind, `${SETTING_UP}${error.message}`, { cause: error });
  }
}

/**
 * Whether a start failed because a bridge is not there any more. It is made again then, and the start is worth another
 * attempt.
 */
export async function repaired(context: Context, { record }: Container, error: unknown): Promise<boolean> {
  if (!(error instanceof StepError) || error.errno !== "ENODEV") return false;
  const networks = placesOf(context, record).map(({ network }) => network);
  for (const network of networks) context.links.forget(network);
  await context.links.ensure(networks);
  return networks.length > 0;
}

/** After the end, or a start that failed: the addresses are free again. */
export function unplug(context: Context, { record }: Container): void {
  releaseAll(context, record);
}

/** `connect` and `disconnect` of everything that a container is on. */
export function tellPlaces(context: Context, { record }: Container, action: "connect" | "disconnect"): void {
  for (const { network } of placesOf(context, record)) tellMember(context, network, record, action);
}
