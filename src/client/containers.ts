import type { ContainerCreateRequest, HostResources, RestartPolicy } from "../wire/container.ts";
import type { ContainerInspect } from "../wire/inspect.ts";
import type {
  ContainerCreated,
  ContainersPruned,
  ContainerTop,
  ContainerUpdated,
  ContainerWaited,
  FileChange,
} from "../wire/lifecycle.ts";
import type { ContainerSummary } from "../wire/summary.ts";
import { type Hijacked, hijack } from "./hijack.ts";
import type { Answer } from "./http.ts";
import { ask, type Engine, type Query, queryText, request, segment, tell } from "./request.ts";

/** `{"status": ["running"]}`: filters as the API takes them. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** Filters as the JSON of a query; undefined where there are none. */
export function filterQuery(filters: Filters): string | undefined {
  return Object.keys(filters).length ? JSON.stringify(filters) : undefined;
}

const at = (id: string, rest = "") => `/containers/${segment(id)}${rest}`;

/** @throws EngineError 404 without the image, 409 when the name is in use */
export function createContainer(
  engine: Engine,
  body: ContainerCreateRequest,
  query: { readonly name?: string; readonly platform?: string },
): Promise<ContainerCreated> {
  return ask(engine, "/containers/create", { method: "POST", json: body, query });
}

/** With `trace`, which only cais knows, each kernel call of the start is measured. */
export function startContainer(engine: Engine, id: string, trace = false): Promise<void> {
  return tell(engine, at(id, "/start"), { query: { trace } });
}

/** Stops with `signal` (default: the container's own), and with SIGKILL after `t` seconds. */
export function stopContainer(engine: Engine, id: string, signal?: string, t?: number): Promise<void> {
  return tell(engine, at(id, "/stop"), { query: { signal, t } });
}

/** Stops as `stopContainer` does, and starts again. */
export function restartContainer(engine: Engine, id: string, signal?: string, t?: number): Promise<void> {
  return tell(engine, at(id, "/restart"), { query: { signal, t } });
}

/** Sends a signal by name or number; SIGKILL without one. @throws EngineError 409 when it does not run */
export function killContainer(engine: Engine, id: string, signal?: string): Promise<void> {
  return tell(engine, at(id, "/kill"), { query: { signal } });
}

/** Freezes all processes. */
export function pauseContainer(engine: Engine, id: string): Promise<void> {
  return tell(engine, at(id, "/pause"));
}

/** Lets frozen processes go on. */
export function unpauseContainer(engine: Engine, id: string): Promise<void> {
  return tell(engine, at(id, "/unpause"));
}

/** @throws EngineError 409 when the name is in use */
export function renameContainer(engine: Engine, id: string, name: string): Promise<void> {
  return tell(engine, at(id, "/rename"), { query: { name } });
}

/** @throws EngineError 409 when it runs and `force` is not set, 404 when there is none */
export function removeContainer(
  engine: Engine,
  id: string,
  query: { readonly force?: boolean; readonly v?: boolean; readonly link?: boolean },
): Promise<void> {
  return tell(engine, at(id), { method: "DELETE", query });
}

/** Tells the size of the terminal, in characters. */
export function resizeContainer(engine: Engine, id: string, h: number, w: number): Promise<void> {
  return tell(engine, at(id, "/resize"), { query: { h, w } });
}

export type UpdateRequest = HostResources & { readonly RestartPolicy?: RestartPolicy };

/** Changes limits; what the body leaves out stays as it is. */
export function updateContainer(engine: Engine, id: string, body: UpdateRequest): Promise<ContainerUpdated> {
  return ask(engine, at(id, "/update"), { method: "POST", json: body });
}

/**
 * Registers a wait: the outer promise resolves once the engine has it, `ended` when the condition holds.
 * `next-exit` and `removed` must be registered before the start, or a short container is missed.
 */
export async function waitContainer(
  engine: Engine,
  id: string,
  condition: "not-running" | "next-exit" | "removed",
): Promise<{ readonly ended: Promise<ContainerWaited> }> {
  const response = await request(engine, at(id, "/wait"), { method: "POST", query: { condition } });
  const ended = response.json() as Promise<ContainerWaited>;
  // Who has stopped waiting does not want to hear of it.
  ended.catch(() => {});
  return { ended };
}

export interface AttachOptions {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly logs?: boolean;
  readonly detachKeys?: string | undefined;
}

/** Connects to a container's streams: with a terminal one raw stream, else a multiplexed one. */
export function attachContainer(engine: Engine, id: string, it: AttachOptions): Promise<Hijacked> {
  const query: Query = { stream: true, ...it };
  return hijack(engine, at(id, "/attach") + queryText(query));
}

/** Everything about a container; with `size` also the bytes it takes, which costs a walk. */
export function inspectContainer(engine: Engine, id: string, size = false): Promise<ContainerInspect> {
  return ask(engine, at(id, "/json"), { query: { size } });
}

/** Running containers, or all; newest first. */
export function listContainers(
  engine: Engine,
  query: {
    readonly all?: boolean;
    readonly limit?: number;
    readonly size?: boolean;
    readonly filters?: Filters;
  },
): Promise<readonly ContainerSummary[]> {
  const { filters, ...rest } = query;
  return ask(engine, "/containers/json", { query: { ...rest, filters: filterQuery(filters ?? {}) } });
}

export interface LogOptions {
  readonly follow?: boolean;
  readonly tail?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly timestamps?: boolean;
  readonly details?: boolean;
}

/** What a container has written: a stream of the same two shapes as attach. */
export function containerLogs(engine: Engine, id: string, it: LogOptions): Promise<Answer> {
  return request(engine, at(id, "/logs"), { query: { stdout: true, stderr: true, ...it } });
}

/** Its processes, as `ps` with these options would list them. */
export function containerTop(engine: Engine, id: string, ps: string | undefined): Promise<ContainerTop> {
  return ask(engine, at(id, "/top"), { query: { ps_args: ps } });
}

/** What it has changed in its file system. */
export async function containerChanges(engine: Engine, id: string): Promise<readonly FileChange[]> {
  return (await ask<readonly FileChange[] | null>(engine, at(id, "/changes"))) ?? [];
}

/** Its whole file system as a tar stream. */
export function exportContainer(engine: Engine, id: string): Promise<Answer> {
  return request(engine, at(id, "/export"));
}

/** Samples of what it uses, one JSON value a line; without `stream` a single one. */
export function containerStats(
  engine: Engine,
  id: string,
  stream: boolean,
  signal?: AbortSignal,
): Promise<Answer> {
  return request(engine, at(id, "/stats"), {
    query: { stream: stream ? "1" : "0" },
    ...(signal && { signal }),
  });
}

/** Removes containers that do not run. */
export function pruneContainers(engine: Engine, filters: Filters): Promise<ContainersPruned> {
  return ask(engine, "/containers/prune", { method: "POST", query: { filters: filterQuery(filters) } });
}
