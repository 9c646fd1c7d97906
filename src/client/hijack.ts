import type { Duplex } from "../host/socket.ts";
import { EngineError } from "./error.ts";
import { upgrade } from "./http.ts";
import { type Engine, refusal } from "./request.ts";

/** A connection that has left HTTP behind. */
export interface Hijacked {
  readonly duplex: Duplex;
  /** One stream without headers, as terminals and API 1.42 say it. */
  readonly raw: boolean;
}

/**
 * POST with an upgrade to a plain two-way stream (Docker Engine API, "Hijacking"). Both answers are fine:
 * `101 UPGRADED` and the older `200` whose connection simply goes on.
 * @throws EngineError when the engine refuses
 */
export async function hijack(engine: Engine, path: string, json?: unknown): Promise<Hijacked> {
  const { answer, duplex } = await upgrade(engine.endpoint, path, json, engine.signal);
  if (answer.status !== 101 && answer.status !== 200)
    throw new EngineError(answer.status, await refusal(answer));
  return { duplex, raw: (answer.header("content-type") ?? "").includes("raw-stream") };
}
