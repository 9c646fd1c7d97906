import { type Finding, lineOf, type Source } from "./sources.ts";

const EXPORTED =
  /^export (?:async )?function\*? (\w+)|^export const (\w+)[^=\n]*= (?:async )?(?:<[^>\n]+>)?\(/gm;

/** Exported functions without a doc comment. The second and later signatures of an overload need none. */
export function checkDocuments(sources: readonly Source[]): Finding[] {
  return sources
    .filter(({ path }) => !path.endsWith(".test.ts"))
    .flatMap(({ path, text }) => {
      const seen = new Set<string>();
      return [...text.matchAll(EXPORTED)].flatMap((match) => {
        const name = match[1] ?? match[2] ?? "";
        if (seen.has(name)) return [];
        seen.add(name);
        const before = text.slice(0, match.index).trimEnd();
        if (before.endsWith("*/")) return [];
        return [
          { path, line: lineOf(text, match.index), what: `${name} is exported and has no doc comment` },
        ];
      });
    });
}
