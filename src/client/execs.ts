import type { ExecConfig } from "../wire/container.ts";
import type { ExecCreated, ExecInspect, ExecStartRequest } from "../wire/exec.ts";
import { type Hijacked, hijack } from "./hijack.ts";
import { ask, type Engine, segment, tell } from "./request.ts";

/** Registers a command in a running container. @returns the id of the exec */
export async function createExec(engine: Engine, container: string, body: ExecConfig): Promise<string> {
  const path = `/containers/${segment(container)}/exec`;
  return (await ask<ExecCreated>(engine, path, { method: "POST", json: body })).Id;
}

/** Starts it and is its terminal or pipes. */
export function attachExec(engine: Engine, id: string, body: ExecStartRequest): Promise<Hijacked> {
  return hijack(engine, `/exec/${id}/start`, body);
}

/** Starts it and leaves it alone. */
export function startExec(engine: Engine, id: string): Promise<void> {
  return tell(engine, `/exec/${id}/start`, { json: { Detach: true } });
}

/** Its exit code, once it has ended. */
export function inspectExec(engine: Engine, id: string): Promise<ExecInspect> {
  return ask(engine, `/exec/${id}/json`);
}

/** Tells the size of its terminal, in characters. */
export function resizeExec(engine: Engine, id: string, h: number, w: number): Promise<void> {
  return tell(engine, `/exec/${id}/resize`, { query: { h, w } });
}
