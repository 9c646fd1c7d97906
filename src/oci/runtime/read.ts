import { Refusal } from "../error.ts";

/**
 * Reading a runtime configuration that comes from outside: a reader takes a value of unknown shape and gives the
 * typed one, or refuses with one sentence that begins with the field: `linux.resources.memory.limit: …`.
 */

/** JSON; whole numbers that a JavaScript number cannot hold are bigints. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Value[]
  | { readonly [key: string]: Value };

/** Sentences about what is passed over, each beginning with its field. */
export type Warnings = string[];

export type Reader<T> = (value: Value, at: string, warnings: Warnings) => T;

/** The refusal of a field; `at` is empty for the whole document. */
export function wrong(at: string, says: string): Refusal {
  return new Refusal("invalid", at === "" ? says : `${at}: ${says}`);
}

const shown = (value: Value): string => {
  const text = typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? "");
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

/** A text without NUL. */
export const text: Reader<string> = (value, at) => {
  if (typeof value !== "string") throw wrong(at, `it must be a text, not ${shown(value)}`);
  if (value.includes("\0")) throw wrong(at, "a text for the kernel cannot contain a NUL: remove it");
  return value;
};

/** A text that is not empty. */
export const name: Reader<string> = (value, at, warnings) => {
  if (value === "") throw wrong(at, "it must not be empty: leave the field out instead");
  return text(value, at, warnings);
};

/** A path from the root on. */
export const absolutePath: Reader<string> = (value, at, warnings) => {
  const path = text(value, at, warnings);
  if (!path.startsWith("/")) throw wrong(at, `it must be an absolute path, not ${shown(path)}`);
  return path;
};

/** A yes or no. */
export const flag: Reader<boolean> = (value, at) => {
  if (typeof value !== "boolean") throw wrong(at, `it must be true or false, not ${shown(value)}`);
  return value;
};

/** A whole number from `least` to `most`; `what` says what it counts. */
export function whole(least: number, most: number, what = "a whole number"): Reader<number> {
  return (value, at) => {
    const range =
      most > Number.MAX_SAFE_INTEGER
        ? `${least} or more`
        : least === 0
          ? `0 to ${most}`
          : `${least} to ${most}`;
    if (typeof value !== "number" && typeof value !== "bigint")
      throw wrong(at, `it must be ${what} (${range}), not ${shown(value)}`);
    if (value < least || value > most || (typeof value === "number" && !Number.isInteger(value)))
      throw wrong(at, `it must be ${what} (${range}), not ${shown(value)}`);
    return Number(value);
  };
}

export const int32 = whole(-(2 ** 31), 2 ** 31 - 1);
export const uint16 = whole(0, 2 ** 16 - 1);
export const uint32 = whole(0, 2 ** 32 - 1);
/** What is above 2^53 is rounded: limits that large are none. */
export const int64 = whole(-(2 ** 63), 2 ** 63);
export const uint64 = whole(0, 2 ** 64);

/** An unsigned 64-bit number, exactly. */
export const exact64: Reader<number | bigint> = (value, at, warnings) => {
  uint64(value, at, warnings);
  if (typeof value === "bigint" && value >= 2n ** 64n) throw wrong(at, "it does not fit in 64 bits");
  return value as number | bigint;
};

/** A list of one kind of value. */
export function list<T>(reader: Reader<T>): Reader<readonly T[]> {
  return (value, at, warnings) => {
    if (!Array.isArray(value)) throw wrong(at, `it must be a list, not ${shown(value)}`);
    return value.map((each: Value, index) => reader(each, `${at}[${index}]`, warnings));
  };
}

/** An object that is a map: any key, one kind of value. */
export function record<T>(reader: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, at, warnings) =>
    Object.fromEntries(
      Object.entries(fields(value, at)).map(([key, each]) => {
        if (key === "") throw wrong(at, "a key must not be empty");
        return [key, reader(each, `${at}.${key}`, warnings)];
      }),
    );
}

/** One of some words. */
export function oneOf<T extends string>(...words: readonly T[]): Reader<T> {
  return (value, at) => {
    if (!words.includes(value as T)) throw wrong(at, `it must be ${either(words)}, not ${shown(value)}`);
    return value as T;
  };
}

const either = (words: readonly string[]) =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;

function fields(value: Value, at: string): Readonly<Record<string, Value>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrong(at, `it must be an object, not ${shown(value)}`);
  return value as Readonly<Record<string, Value>>;
}

type Readers<T> = { readonly [K in keyof T]-?: Reader<Exclude<T[K], undefined>> };

/**
 * An object with these fields. A field that is not among them is no error (runtime-spec, "Extensibility") but a
 * warning; null is the same as absent, as some writers have it.
 */
export function object<T>(readers: Readers<T>, ...required: readonly (keyof T & string)[]): Reader<T> {
  return (value, at, warnings) => {
    const given = fields(value, at);
    const path = (key: string) => (at === "" ? key : `${at}.${key}`);
    const result: Partial<Record<keyof T, unknown>> = {};
    for (const [key, each] of Object.entries(given)) {
      if (each === null) continue;
      if (Object.hasOwn(readers, key))
        result[key as keyof T] = readers[key as keyof T](each, path(key), warnings);
      else warnings.push(`${path(key)}: the runtime specification has no such field; it is ignored`);
    }
    for (const key of required)
      if (result[key] === undefined) throw wrong(path(key), "it is missing: the configuration must have it");
    return result as T;
  };
}

/** JSON with exact whole numbers; at most `max` bytes. `what` names it in errors. */
export function parseExactly(bytes: Uint8Array | string, max: number, what: string): Value {
  if (bytes.length > max) throw new Refusal("invalid", `Cannot read ${what}: it is larger than ${max} bytes`);
  const source = typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes);
  try {
    // The reviver costs time and is needed for numbers of sixteen digits and more only.
    if (!/\d{16}/.test(source)) return JSON.parse(source) as Value;
    return JSON.parse(source, exactly as (this: unknown, key: string, value: unknown) => unknown) as Value;
  } catch {
    throw new Refusal("invalid", `Cannot read ${what}: it is not valid JSON`);
  }
}

/** The third argument has the number as it was written (ECMAScript, "JSON.parse source text access"). */
function exactly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  const rounded = typeof value === "number" && !Number.isSafeInteger(value);
  return rounded && source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
}
