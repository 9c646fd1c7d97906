import { layers } from "./layers.ts";
import type { Finding } from "./sources.ts";

const PATH = "ARCHITECTURE.md";
const ROW = /^\| ((?:`\w+`(?:, )?)+) \|.*\| ([^|]*) \|$/;
/** Words in backticks, as the first and last columns have them. */
const NAME = /`(\w+)`/g;

/**
 * Differences between the table of folders that people read (the text of ARCHITECTURE.md) and the one that the
 * check of imports uses. The folders of one row may import each other.
 */
export function checkTable(text: string): Finding[] {
  const findings: Finding[] = [];
  const above: string[] = [];
  text.split("\n").forEach((line, index) => {
    const [, first = "", last = ""] = ROW.exec(line) ?? [];
    const row = namesIn(first);
    // What follows in parentheses are exceptions for single files.
    const named = last === "all above" ? [...above] : namesIn(last.replace(/ \(.*/, ""));
    for (const folder of row) {
      const here = [...named, ...row.filter((other) => other !== folder)].sort().join(", ");
      const there = [...(layers[folder] ?? [])].sort().join(", ");
      if (here !== there || layers[folder] === undefined)
        findings.push({
          path: PATH,
          line: index + 1,
          what: `src/${folder} may import ${here || "nothing"}; tools/check/layers.ts says ${there || "nothing"}`,
        });
    }
    above.push(...row);
  });
  for (const folder of Object.keys(layers))
    if (!above.includes(folder))
      findings.push({ path: PATH, line: 1, what: `has no row for src/${folder} in its table of folders` });
  return findings;
}

function namesIn(cell: string): string[] {
  return [...cell.matchAll(NAME)].map(([, name = ""]) => name);
}
