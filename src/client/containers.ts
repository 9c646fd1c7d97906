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
import { ask, type Engine, type Query, queryText, request, segment, tell } from "./request.ts";

/** `{"status": ["running"]}`: filters as the API takes them. */
export type Filters = Readonly<Record<string, readonly string[]>>;

export function filterQuery(filters: Filters): string | undefined {
  return Object.keys(filters).length ? JSON.stringify(filters) : undefined;
}

const at = (id: string, rest = "") => `/containers/${segment(id)}${rest}`;

export function createContainer(
  engine: Engine,
  body: ContainerCreateRequest,
  query: { readonly name?: string; readonly platform?: string },
): Promise<ContainerCreated> {
  return ask(engine, "/containers/create", { method: "POST", json: body, query });
}

export function startContainer(engine: Engine, id: string, detachKeys?: string): Promise<void> {
  return tell(engine, at(id, "/start"), { query: { detachKeys } });
}

export function stopContainer(engine: Engine, id: string, signal?: string, t?: number): Promise<void> {
  return tell(engine, at(id, "/stop"), { query: { signal, t } });
}

export function restartContainer(engine: Engine, id: string, signal?: string, t?: number): Promise<void> {
  return tell(engine, at(id, "/restart"), { query: { signal, t } });
}

export function killContainer(engine: Engine, id: string, signal?: string): Promise<void> {
  return tell(engine, at(id, "/kill"), { query: { signal } });
}

export function pauseContainer(engine: Engine, id: string): Promise<void> {
  return tell(engine, at(id, "/pause"));
}

export function unpauseContainer(engine: Engine, id: string): Promise<void> {
  return tell(engine, at(id, "/unpause"));
}

export function renameContainer(engine: Engine, id: string, name: string): Promise<void> {
  return tell(engine, at(id, "/rename"), { query: { name } });
}

export function removeContainer(
  engine: Engine,
  id: string,
  query: { readonly force?: boolean; readonly v?: boolean; readonly link?: boolean },
): Promise<void> {
  return tell(engine, at(id), { method: "DELETE", query });
}

export function resizeContainer(engine: Engine, id: string, h: number, w: number): Promise<void> {
  return tell(engine, at(id, "/resize"), { query: { h, w } });
}

export type UpdateRequest = HostResources & { readonly RestartPolicy?: RestartPolicy };

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
  return { ended: response.json() as Promise<ContainerWaited> };
}

export interface AttachOptions {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly logs?: boolean;
  readonly detachKeys?: string | undefined;
}

export function attachContainer(engine: Engine, id: string, it: AttachOptions): Promise<Hijacked> {
  const query: Query = { stream: true, ...it };
  return hijack(engine, at(id, "/attach") + queryText(query));
}

export function inspectContainer(engine: Engine, id: string, size = false): Promise<ContainerInspect> {
  return ask(engine, at(id, "/json"), { query: { size } });
}

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

export function containerLogs(engine: Engine, id: string, it: LogOptions): Promise<Response> {
  return request(engine, at(id, "/logs"), { query: { stdout: true, stderr: true, ...it } });
}

export function containerTop(engine: Engine, id: string, ps: string | undefined): Promise<ContainerTop> {
  return ask(engine, at(id, "/top"), { query: { ps_args: ps } });
}

export async function containerChanges(engine: Engine, id: string): Promise<readonly FileChange[]> {
  return (await ask<readonly FileChange[] | null>(engine, at(id, "/changes"))) ?? [];
}

export function exportContainer(engine: Engine, id: string): Promise<Response> {
  return request(engine, at(id, "/export"));
}

export function containerStats(
  engine: Engine,
  id: string,
  stream: boolean,
  signal?: AbortSignal,
): Promise<Response> {
  return request(engine, at(id, "/stats"), {
    query: { stream: stream ? "1" : "0" },
    ...(signal && { signal }),
  });
}

export function pruneContainers(engine: Engine, filters: Filters): Promise<ContainersPruned> {
  return ask(engine, "/containers/prune", { method: "POST", query: { filters: filterQuery(filters) } });
}
