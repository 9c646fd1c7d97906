import type { Filters } from "../client/containers.ts";
import { type Flag, parsedList } from "./flags/flag.ts";

/** `--filter name=value`, as often as one likes. */
export function filterFlag(
  help = "Show only what meets a condition",
): Flag<readonly (readonly [string, string])[]> {
  return parsedList(
    "filter",
    help,
    (text) => {
      const at = text.indexOf("=");
      if (at < 0) throw new Error("bad format of filter (expected name=value)");
      return [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()] as const;
    },
    { short: "f" },
  );
}

/** Several values of one name are alternatives. */
export function toFilters(given: readonly (readonly [string, string])[]): Filters {
  const filters: Record<string, string[]> = {};
  for (const [name, value] of given) filters[name] = [...(filters[name] ?? []), value];
  return filters;
}
