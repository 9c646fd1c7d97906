/** JSON from outside, before anything about it is known. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Parses JSON of at most `max` bytes; `what` names it in the error. */
export function parseJson(bytes: Uint8Array | string, max: number, what: string): Json {
  if (bytes.length > max) throw new Error(`Cannot read ${what}: it is larger than ${max} bytes`);
  const text = typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8");
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new Error(`Cannot read ${what}: it is not valid JSON`);
  }
}

type JsonObject = { readonly [key: string]: Json };

/** Checks of single values; each throws one sentence that names the place. */
export const check: {
  object(value: Json | undefined, what: string): asserts value is JsonObject;
  equal(value: Json | undefined, wanted: string | number, what: string): void;
  array(value: Json | undefined, max: number, what: string): readonly Json[];
  text(value: Json | undefined, what: string): string;
  texts(value: Json | undefined, what: string): Record<string, string>;
  textList(value: Json | undefined, max: number, what: string): string[];
} = {
  object(value, what): asserts value is JsonObject {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw bad(what, "is not an object");
  },
  equal(value, wanted, what) {
    if (value !== wanted) throw bad(what, `is not ${JSON.stringify(wanted)}`);
  },
  array(value, max, what) {
    if (!Array.isArray(value)) throw bad(what, "is not a list");
    if (value.length > max) throw bad(what, `has more than ${max} entries`);
    return value as readonly Json[];
  },
  text(value, what) {
    if (typeof value !== "string") throw bad(what, "is not a text");
    return value;
  },
  texts(value, what) {
    check.object(value, what);
    const result: Record<string, string> = {};
    for (const [key, text] of Object.entries(value)) result[key] = check.text(text, `${what}: ${key}`);
    return result;
  },
  textList(value, max, what) {
    return check.array(value, max, what).map((text, i) => check.text(text, `${what}[${i}]`));
  },
};

function bad(what: string, why: string): Error {
  return new Error(`Cannot read ${what}: it ${why}`);
}
