import type { ContainerCreateRequest } from "../../wire/container.ts";
import type { TraceStep } from "../../wire/trace.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { launchRequest, runDirOf } from "../launch.ts";
import { notFound } from "../refuse.ts";
import { create } from "./create.ts";
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
    return context.launcher.explain(launchRequest(context, container, false), form);
  } finally {
    await remove(context, container, { volumes: true });
  }
}

/** @throws Refusal (404) when the last start was not traced */
export async function traceOf(context: Context, { record }: Container): Promise<readonly TraceStep[]> {
  const steps = await context.launcher.trace(runDirOf(context, record.id));
  if (!steps) throw notFound(`container ${record.name} was not started with a trace: start it with trace=1`);
  return steps;
}
