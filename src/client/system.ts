import type { ContainerCreateRequest } from "../wire/container.ts";
import type { BuildPruned } from "../wire/image.ts";
import type { Reach } from "../wire/reach.ts";
import type { DiskUsage, Info, Version } from "../wire/system.ts";
import type { TraceStep } from "../wire/trace.ts";
import { type Filters, filterQuery } from "./containers.ts";
import type { Answer } from "./http.ts";
import { ask, type Engine, request, segment, tell } from "./request.ts";

/** Makes sure that somebody answers, before a body is sent that can be sent only once. */
export function ping(engine: Engine): Promise<void> {
  return tell(engine, "/_ping", { method: "GET" });
}

/** Versions of the engine and its parts. */
export function engineVersion(engine: Engine): Promise<Version> {
  return ask(engine, "/version");
}

/** What the engine and its machine are, and how many things it holds. */
export function engineInfo(engine: Engine): Promise<Info> {
  return ask(engine, "/info");
}

/** What takes space; walks volumes and containers, so it is slow. */
export function diskUsage(engine: Engine): Promise<DiskUsage> {
  return ask(engine, "/system/df");
}

/** Removes what builds have kept. */
export function pruneBuilds(engine: Engine, filters: Filters): Promise<BuildPruned> {
  return ask(engine, "/build/prune", { method: "POST", query: { filters: filterQuery(filters) } });
}

export interface EventOptions {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly filters: Filters;
}

/** A stream of `Event`, one JSON value a line. */
export function events(engine: Engine, it: EventOptions, signal?: AbortSignal): Promise<Answer> {
  return request(engine, "/events", {
    query: { since: it.since, until: it.until, filters: filterQuery(it.filters) },
    ...(signal && { signal }),
  });
}

/** What a container's start would do, as text: in words, as a shell script, or as data. Only cais has it. */
export async function plan(
  engine: Engine,
  form: "explain" | "script" | "json",
  body: ContainerCreateRequest,
): Promise<string> {
  return (await request(engine, "/cais/plan", { method: "POST", query: { form }, json: body })).text();
}

/** What the last start of a traced container did. Only cais has it. */
export function trace(engine: Engine, id: string): Promise<readonly TraceStep[]> {
  return ask(engine, `/cais/containers/${segment(id)}/trace`);
}

/** Who reaches a port of a container (`80`, `80/udp`). Only cais has it. */
export function reachOf(engine: Engine, container: string, port: string): Promise<Reach> {
  return ask(engine, `/cais/containers/${segment(container)}/reach`, { query: { port } });
}
