import { notANumber } from "../engine/refuse.ts";
import { Refusal } from "../oci/error.ts";
import type { Exchange } from "./http/exchange.ts";

/** Largest JSON body; Docker has no bound, its real requests are far below this. */
const MAX_JSON = 4 * 1024 * 1024;

const invalid = (message: string): Refusal => new Refusal("invalid", message);

/**
 * The JSON object in a request's body.
 * @throws Refusal (400) with Docker's sentences: wrong type, malformed, not an object
 */
export async function jsonBody(exchange: Exchange): Promise<Readonly<Record<string, unknown>>> {
  const type = exchange.head.headers.get("content-type") ?? "";
  const bytes = await exchange.body.all(MAX_JSON);
  if (bytes.length === 0) throw invalid("invalid JSON: got EOF while reading request body");
  if (type !== "" && !/^application\/json\s*(;|$)/i.test(type)) {
    throw invalid(`unsupported Content-Type header (${type.slice(0, 80)}): must be 'application/json'`);
  }
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch (error) {
    throw invalid(`invalid JSON: ${(error as Error).message}`);
  }
  // Go reads null as nothing said.
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw invalid("invalid JSON: an object is expected");
  }
  return value as Readonly<Record<string, unknown>>;
}

/** As `jsonBody`, but no body is an empty object. */
export async function optionalJsonBody(exchange: Exchange): Promise<Readonly<Record<string, unknown>>> {
  const { headers } = exchange.head;
  const none =
    headers.get("transfer-encoding") === undefined && (headers.get("content-length") ?? "0") === "0";
  return none ? {} : jsonBody(exchange);
}

/** Docker's idea of a true query parameter: anything but these. */
export function flag(exchange: Exchange, name: string): boolean {
  const value = exchange.query.get(name)?.trim().toLowerCase() ?? "";
  return !["", "0", "no", "false", "none"].includes(value);
}

/** A whole number from the query; undefined when it is not there. @throws Refusal (500, as in Docker) */
export function integer(exchange: Exchange, name: string): number | undefined {
  const value = exchange.query.get(name);
  if (value === null || value === "") return undefined;
  if (!/^[-+]?\d{1,10}$/.test(value)) throw notANumber("Atoi", value);
  return Number(value);
}

export type Filters = Readonly<Record<string, readonly string[]>>;

/**
 * The `filters` parameter: JSON of name → values, the values as a list or, from old clients, as keys.
 * @param known names that mean something here; without them unknown ones are let through
 * @throws Refusal (400) when it is malformed or names what is not known
 */
export function filters(exchange: Exchange, known?: readonly string[]): Filters {
  const text = exchange.query.get("filters");
  if (text === null || text === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid("invalid filter");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("invalid filter");
  const result: Record<string, string[]> = {};
  for (const [name, values] of Object.entries(value)) {
    if (known && !known.includes(name)) throw invalid(`invalid filter '${name.slice(0, 80)}'`);
    const list: unknown = Array.isArray(values) ? values : keysOf(values);
    if (!Array.isArray(list) || !list.every((one) => typeof one === "string"))
      throw invalid("invalid filter");
    result[name] = list as string[];
  }
  return result;
}

/** Clients of before API 1.22 send the values as the keys of an object. */
const keysOf = (values: unknown): string[] | null =>
  typeof values === "object" && values !== null ? Object.keys(values) : null;
