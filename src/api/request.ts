import { invalid, notANumber } from "../engine/refuse.ts";
import type { Exchange } from "./http/exchange.ts";
import { readJson } from "./json.ts";

/** Largest JSON body; Docker has no bound, its real requests are far below this. */
const MAX_JSON = 4 * 1024 * 1024;

/**
 * The JSON object in a request's body; no body is an empty object.
 * @throws Refusal (400) with Docker's sentences: wrong type, malformed, not an object
 */
export async function jsonBody(exchange: Exchange): Promise<Readonly<Record<string, unknown>>> {
  checkType(exchange);
  return exchange.body.length === 0 ? {} : parsed(exchange);
}

/** As `jsonBody` where there must be one. */
export async function neededJsonBody(exchange: Exchange): Promise<Readonly<Record<string, unknown>>> {
  checkType(exchange);
  return parsed(exchange);
}

/** A body needs a type, and it must be JSON's. */
function checkType(exchange: Exchange): void {
  const text = exchange.head.headers.get("content-type") ?? "";
  if (text === "" && exchange.body.length === 0) return;
  const shown = text.slice(0, 80);
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim());
  if (type === "") throw invalid(`malformed Content-Type header (${shown}): mime: no media type`);
  if (
    !parameters.every((one, index) => PARAMETER.test(one) || (one === "" && index === parameters.length - 1))
  )
    throw invalid(`malformed Content-Type header (${shown}): mime: invalid media parameter`);
  if (type.toLowerCase() !== "application/json")
    throw invalid(`unsupported Content-Type header (${shown}): must be 'application/json'`);
}

const PARAMETER = /^[^\s=]+=\S+$/;

async function parsed(exchange: Exchange): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await exchange.body.all(MAX_JSON);
  if (/^[ \t\r\n]*$/.test(bytes.toString("latin1")))
    throw invalid("invalid JSON: got EOF while reading request body");
  const json = readJson(bytes);
  if ("wrong" in json) throw invalid(`invalid JSON: ${json.wrong}`);
  // Go asks whether more elements follow: a closing bracket is none.
  if (!/^($|[\]}])/.test(json.rest)) throw invalid("unexpected content after JSON");
  const { value } = json;
  // Go reads null as nothing said.
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw invalid("invalid JSON: an object is expected");
  }
  return value as Readonly<Record<string, unknown>>;
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
