import type { Answer } from "./ask.ts";

/** What is one engine's own and must not be equal. */
export interface Own {
  /** Directories of the engine, longest first, and what they stand for. */
  readonly directories: readonly (readonly [path: string, word: string])[];
  /** Id of the image that both have loaded. */
  readonly image: string;
}

/** An answer in which everything that must differ between two engines has been replaced by a word. */
export interface Normal {
  readonly status: number;
  readonly type: string;
  readonly body: unknown;
}

const TIME = /\b(?!0001-)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;

/** Replaces ids, times and the engine's own directories in a text. */
export function normalText(text: string, own: Own): string {
  let result = text.replaceAll(own.image, "<image>");
  for (const [path, word] of own.directories) result = result.replaceAll(path, word);
  return result
    .replace(/sha256:[0-9a-f]{64}/g, "<digest>")
    .replace(/\b[0-9a-f]{64}\b/g, "<id>")
    .replace(/\b(?=[0-9a-f]*[a-f])[0-9a-f]{12}\b/g, "<short>")
    .replace(TIME, "<time>");
}

/** Numbers that say when, where or how much by chance. */
const BY_CHANCE = new Set(["Created", "time", "timeNano", "Pid", "execDuration"]);

function normalValue(value: unknown, own: Own, key = ""): unknown {
  if (typeof value === "string")
    return BY_CHANCE.has(key) && /^\d+$/.test(value) ? "<number>" : normalText(value, own);
  if (typeof value === "number") return BY_CHANCE.has(key) && value > 0 ? "<number>" : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const list = value.map((one) => normalValue(one, own));
    // Docker lists mounts in no order.
    return key === "Mounts" ? list.sort((a, b) => (target(a) < target(b) ? -1 : 1)) : list;
  }
  const entries = Object.entries(value).map(([name, one]) => [
    normalText(name, own),
    normalValue(one, own, name),
  ]);
  return Object.fromEntries(entries);
}

const target = (mount: unknown): string => String((mount as { readonly Destination?: string }).Destination);

/** As `Normal`; JSON is parsed, lines of JSON are lists, anything else is text. */
export function normalAnswer({ status, headers, body }: Answer, own: Own): Normal {
  return { status, type: headers.get("Content-Type") ?? "", body: normalBody(body, own) };
}

function normalBody(body: Buffer, own: Own): unknown {
  const text = body.toString("latin1");
  for (const read of [
    (): unknown => JSON.parse(text),
    (): unknown =>
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
  ]) {
    try {
      return normalValue(read(), own);
    } catch {
      // Not of this form.
    }
  }
  return normalText(text, own);
}

/** A value of an event or the like. */
export const normal = (value: unknown, own: Own): unknown => normalValue(value, own);
