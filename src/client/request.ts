import type { Endpoint } from "../host/socket.ts";
import { codeOf } from "../oci/error.ts";
import type { ErrorResponse } from "../wire/lifecycle.ts";
import { addressText } from "./address.ts";
import { EngineError, NoEngineError } from "./error.ts";
import { type Answer, exchange } from "./http.ts";

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface Request {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE" | "HEAD";
  readonly query?: Query;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: Uint8Array | ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** How to reach an engine. `revive` is asked once when nobody answers; true means "try again". */
export interface Engine {
  readonly endpoint: Endpoint;
  readonly revive?: () => Promise<boolean>;
  /** Fires when nobody waits for answers any more: connections are closed. */
  readonly signal?: AbortSignal;
}

const absent = new Set(["ENOENT", "ECONNREFUSED", "FailedToOpenSocket", "ConnectionRefused"]);

/**
 * One request; resolves when the answer's head is there.
 * @throws EngineError for answers of 400 and above, NoEngineError when nobody answers
 */
export async function request(engine: Engine, path: string, it: Request = {}): Promise<Answer> {
  const response = await reach(engine, path + queryText(it.query), it);
  if (response.status < 400) return response;
  throw new EngineError(response.status, await refusal(response));
}

async function reach(engine: Engine, path: string, it: Request): Promise<Answer> {
  const body = it.json === undefined ? it.body : JSON.stringify(it.json);
  const send = () =>
    exchange(engine.endpoint, path, {
      method: it.method ?? "GET",
      headers:
        it.json === undefined ? (it.headers ?? {}) : { "content-type": "application/json", ...it.headers },
      ...(body !== undefined && { body }),
      ...signalOf(engine, it),
    });
  try {
    return await send();
  } catch (error) {
    const code = codeOf(error);
    if (it.signal?.aborted || engine.signal?.aborted || code === undefined) throw error;
    // A stream can be sent once only: those who send one make sure of the engine first.
    if (absent.has(code) && engine.revive && !(body instanceof ReadableStream) && (await engine.revive()))
      return await send();
    throw new NoEngineError(addressText(engine.endpoint), code);
  }
}

function signalOf(engine: Engine, it: Request): { readonly signal?: AbortSignal } {
  if (it.signal && engine.signal) return { signal: AbortSignal.any([it.signal, engine.signal]) };
  const signal = it.signal ?? engine.signal;
  return signal ? { signal } : {};
}

/** Why the engine refused, in its words. */
export async function refusal(response: Answer): Promise<string> {
  const text = await response.text();
  try {
    const { message } = JSON.parse(text) as Partial<ErrorResponse>;
    if (typeof message === "string") return message.trimEnd();
  } catch {
    // Not JSON: the text itself is the message.
  }
  return text.trim() || `the engine answered ${response.status} ${response.reason}`;
}

/** `?a=1&b=x`; undefined and false are left out, true is 1, a list repeats its name. */
export function queryText(query: Query | undefined): string {
  if (!query) return "";
  const parts: string[] = [];
  for (const name in query) {
    const value = query[name];
    if (value === undefined || value === false) continue;
    for (const one of Array.isArray(value) ? value : [value === true ? "1" : value])
      parts.push(`${name}=${encodeURIComponent(String(one))}`);
  }
  return parts.length ? `?${parts.join("&")}` : "";
}

/** One request whose answer is JSON. */
export async function ask<T>(engine: Engine, path: string, it: Request = {}): Promise<T> {
  return (await (await request(engine, path, it)).json()) as T;
}

/** One request whose answer does not matter. */
export async function tell(engine: Engine, path: string, it: Request = {}): Promise<void> {
  const response = await request(engine, path, { method: "POST", ...it });
  await response.text();
}

/** A name or id as one segment of a path. @throws EngineError for an empty one, which would name something else */
export function segment(text: string, what = "container"): string {
  if (text === "") throw new EngineError(0, `invalid ${what} name or ID: value is empty`);
  return encodeURIComponent(text);
}
