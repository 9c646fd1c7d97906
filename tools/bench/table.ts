import type { Line, Target } from "./row.ts";

const COLUMNS = ["cais", "docker", "podman", "runc", "crun", "bwrap"] as const;

/** The one table, in Markdown: a line per measurement, a column per contender, the promises last. */
export function table(lines: readonly Line[]): string {
  const heads = ["what", ...COLUMNS, "reached (promised)"];
  const rows = lines.map(({ what, unit, values, targets }) => [
    `${what}, ${unit}`,
    ...COLUMNS.map((column) => amount(values.get(column))),
    targets.map(promise).join("; "),
  ]);
  const widths = heads.map((_, column) =>
    Math.max(...[heads, ...rows].map((row) => [...(row[column] ?? "")].length)),
  );
  const print = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [print(heads), print(widths.map((width) => "-".repeat(width))), ...rows.map(print)].join("\n");
}

function amount(value: number | undefined): string {
  if (value === undefined) return "–";
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function promise({ name, value, limit, sense }: Target): string {
  const promised = `(${sense === "at most" ? "≤" : "≥"} ${limit})`;
  if (value === undefined) return `${name} – ${promised}`;
  const kept = sense === "at most" ? value <= limit : value >= limit;
  return `${name} ${amount(value)} ${promised} ${kept ? "✓" : "✗"}`;
}
