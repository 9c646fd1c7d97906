import type { Engine } from "../engine/engine.ts";
import type { Exchange } from "./http/exchange.ts";
import type { Route as AnyRoute } from "./router.ts";

/** What handlers work on. */
export interface Served {
  readonly engine: Engine;
  /** Minor number of the API version that this request speaks. */
  readonly minor: number;
}

export type Route = AnyRoute<Served>;

type Parameters = Readonly<Record<string, string>>;
type Work = (
  engine: Engine,
  exchange: Exchange,
  parameters: Parameters,
  minor: number,
) => Promise<void> | void;

const route =
  (method: Route["method"]) =>
  (path: string, work: Work): Route => ({
    method,
    path,
    handle: ({ engine, minor }, exchange, parameters) => work(engine, exchange, parameters, minor),
  });

export const get = route("GET");
export const head = route("HEAD");
export const post = route("POST");
export const put = route("PUT");
export const del = route("DELETE");

/** The value of `{id}` or the like; a route without it is a mistake in the table. */
export function parameter(parameters: Parameters, name: string): string {
  const value = parameters[name];
  if (value === undefined) throw new Error(`This route has no {${name}}`);
  return value;
}
