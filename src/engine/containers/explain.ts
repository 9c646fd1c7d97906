import { isContainerId } from "../../container/id.ts";
import type { NetworkDocument } from "../../network/document.ts";
import { hostLink } from "../../network/drivers/host-link.ts";
import { linkExists } from "../../network/host.ts";
import type { Plan } from "../../plan/step.ts";
import type { ContainerCreateRequest } from "../../wire/container.ts";
import type { TraceStep } from "../../wire/trace.ts";
import type { Context } from "../context.ts";
import { launchRequest, runDirOf } from "../launch.ts";
import { reserve, unplug } from "../networks/plug.ts";
import { placesOf } from "../networks/wires.ts";
import { notFound } from "../refuse.ts";
import { create } from "./create.ts";
import { find } from "./find.ts";
import { remove } from "./remove.ts";

/** The plan that a start of such a container would run, in words, as a script or as data. Nothing is started. */
export async function explainCreate(
  context: Context,
  name: string,
  request: ContainerCreateRequest,
  form: "explain" | "script" | "json",
): Promise<string> {
  const { container } = await create(context, name, request);
  try {
    const before = reserve(context, container).flatMap((network) => missingLink(context, network));
    const places = placesOf(context, container.record);
    return context.launcher.explain(launchRequest(context, container, places, false), form, before);
  } finally {
    unplug(context, container);
    await remove(context, container, { volumes: true });
  }
}

/** The default bridge is made for the first container that is on it. */
function missingLink(context: Context, network: NetworkDocument): readonly Plan[] {
  const link = context.links.has(network) ? null : hostLink(network);
  return link === null || (link.anyones && linkExists(link.name)) ? [] : [link.plan()];
}

/**
 * What each step of a start took. A container that was to be removed (`--rm`) may be gone when it is asked for:
 * its whole id still finds it.
 * @throws Refusal (404) when the last start was not traced
 */
export async function traceOf(context: Context, reference: string): Promise<readonly TraceStep[]> {
  const id = isContainerId(reference) ? reference : find(context, reference).record.id;
  const steps = await context.launcher.trace(runDirOf(context, id));
  if (!steps) throw notFound(`container ${reference} was not started with a trace: start it with trace=1`);
  return steps;
}
