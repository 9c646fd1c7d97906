/** Docker's columns: at least this wide, with this much space to the next. */
const LEAST = 10;
const GAP = 3;

/**
 * Lines up cells that tabs end, as Go's tabwriter does: a column is as wide as its widest cell in a run of
 * neighbouring lines that have it; the text after a line's last tab is in no column.
 */
export function alignColumns(text: string, least = LEAST): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  const widths = lines.map((): number[] => []);
  const deepest = Math.max(...lines.map((cells) => cells.length));
  for (let column = 0; column < deepest - 1; column++) {
    for (let first = 0; first < lines.length; first++) {
      if ((lines[first]?.length ?? 0) <= column + 1) continue;
      let last = first;
      while ((lines[last + 1]?.length ?? 0) > column + 1) last++;
      const cells = lines.slice(first, last + 1).map((line) => columns(line[column] ?? ""));
      const width = Math.max(least, ...cells.map((size) => size + GAP));
      for (let row = first; row <= last; row++) (widths[row] as number[])[column] = width;
      first = last;
    }
  }
  return lines
    .map((cells, row) =>
      cells
        .map((cell, i) => cell + " ".repeat(Math.max(0, (widths[row]?.[i] ?? 0) - columns(cell))))
        .join(""),
    )
    .join("\n");
}

/** Characters, not bytes and not UTF-16 units. */
function columns(text: string): number {
  return [...text].length;
}
