import { EngineError, toldBy } from "../client/error.ts";
import { toJson } from "./format/print.ts";
import { execute, template } from "./format/rows.ts";
import { typed } from "./format/value.ts";
import { err, out } from "./output.ts";

/** Finds one thing by name; throws EngineError where there is none. */
export type Find = (name: string) => Promise<unknown>;

/**
 * What `inspect` of any kind prints: a JSON list, JSON lines, or a template's lines.
 * Names that were not found are told after the rest, as Docker does.
 */
export async function inspectAll(
  names: readonly string[],
  format: string | undefined,
  find: Find,
): Promise<number> {
  const nodes =
    format === undefined || format === "" || format === "json"
      ? undefined
      : template(format, "template parsing error: ", 64);
  const found: unknown[] = [];
  const missing: string[] = [];
  for (const name of names) {
    try {
      found.push(await find(name));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      missing.push(toldBy(error));
    }
  }
  // Docker prints what it found before the first failing template too.
  if (nodes) {
    if (found.length === 0) out("\n");
    for (const it of found) out(`${execute(nodes, typed(it), "template parsing error: ")}\n`);
  } else if (format === "json") out(found.map((it) => `${toJson(it as never)}\n`).join(""));
  else out(found.length ? `${JSON.stringify(found, null, 4)}\n` : "[]\n");
  for (const message of missing) err(`${message}\n`);
  return missing.length ? 1 : 0;
}
