import { TemplateError } from "./lex.ts";
import { print, sprintf, toJson } from "./print.ts";
import { type Call, isMap, truth, type Value } from "./value.ts";

/** Go's own functions of templates, and those that Docker adds. `and` and `or` are the evaluator's: they stop early. */
export const functions: Readonly<Record<string, Call>> = {
  not: (value) => !truth(value),
  len: length,
  index: (value, ...keys) => keys.reduce<Value>(item, value),
  slice: (value, from, to) => {
    if (typeof value !== "string" && !Array.isArray(value))
      throw wrong("slice", `can't slice item of type ${nameOf(value)}`);
    const end = to === undefined ? value.length : Number(to);
    if (Number(from ?? 0) > end || end > value.length) throw wrong("slice", `index out of range: ${end}`);
    return value.slice(Number(from ?? 0), end);
  },
  print: (...values) => spaced(values),
  println: (...values) => `${values.map(print).join(" ")}\n`,
  printf: (format, ...values) => sprintf(text("printf", format), values),
  html: (value) => print(value).replace(/[&<>"']/g, (char) => entities[char] ?? char),
  urlquery: (value) => encodeURIComponent(print(value)).replaceAll("%20", "+"),
  js: (value) => JSON.stringify(print(value)).slice(1, -1),
  eq: (value, ...others) => others.some((other) => value === other || (value == null && other == null)),
  ne: (a, b) => a !== b,
  lt: (a, b) => compare("lt", a, b) < 0,
  le: (a, b) => compare("le", a, b) <= 0,
  gt: (a, b) => compare("gt", a, b) > 0,
  ge: (a, b) => compare("ge", a, b) >= 0,
  json: (value) => toJson(value),
  split: (value, mark) => text("split", value).split(text("split", mark)),
  join: (values, mark) => {
    if (!Array.isArray(values))
      throw wrong("join", `wrong type for value; expected []string; got ${nameOf(values)}`);
    return values.map(print).join(text("join", mark));
  },
  title: (value) =>
    text("title", value).replace(/(?<![\p{L}\p{N}'])\p{L}/gu, (letter) => letter.toUpperCase()),
  lower: (value) => text("lower", value).toLowerCase(),
  upper: (value) => text("upper", value).toUpperCase(),
  pad: (value, before, after) => {
    const padded = text("pad", value);
    return padded === "" ? "" : " ".repeat(Number(before)) + padded + " ".repeat(Number(after));
  },
  truncate: (value, length) => text("truncate", value).slice(0, Number(length)),
};

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

function length(value: Value): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (typeof value === "object" && value !== null) return Object.keys(value).length;
  throw wrong(
    "len",
    value === undefined || value === null ? "len of nil pointer" : `len of type ${nameOf(value)}`,
  );
}

function item(value: Value, key: Value): Value {
  if (value === undefined || value === null) throw wrong("index", "index of untyped nil");
  if (Array.isArray(value) || typeof value === "string") {
    const at = Number(key);
    if (!Number.isInteger(at)) throw wrong("index", `cannot index slice/array with type ${nameOf(key)}`);
    if (at < 0 || at >= value.length) throw wrong("index", `index out of range: ${at}`);
    return typeof value === "string" ? value.charCodeAt(at) : value[at];
  }
  if (typeof value !== "object") throw wrong("index", `can't index item of type ${nameOf(value)}`);
  const fields = value as Readonly<Record<string, Value>>;
  if (Object.hasOwn(fields, String(key))) return fields[String(key)];
  // A missing key is the zero value of what the map holds.
  const sample = Object.values(fields)[0];
  return isMap(fields) && (sample === undefined || typeof sample === "string") ? "" : undefined;
}

/** Go's Print: a space between two values where neither is a string. */
function spaced(values: readonly Value[]): string {
  return values
    .map((value, i) => {
      const gap = i > 0 && typeof value !== "string" && typeof values[i - 1] !== "string";
      return (gap ? " " : "") + print(value);
    })
    .join("");
}

function compare(name: string, a: Value, b: Value): number {
  if (typeof a !== typeof b) throw wrong(name, "incompatible types for comparison");
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  throw wrong(name, "invalid type for comparison");
}

function text(name: string, value: Value): string {
  if (typeof value === "string") return value;
  throw wrong(name, `wrong type for value; expected string; got ${nameOf(value)}`);
}

function wrong(name: string, why: string): TemplateError {
  return new TemplateError(`error calling ${name}: ${why}`);
}

function nameOf(value: Value): string {
  if (Array.isArray(value)) return "[]string";
  if (typeof value === "number") return "int";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : "map[string]interface {}";
}
