import { readFileSync, writeSync } from "node:fs";
import { exactly } from "../arguments.ts";
import { directoryOf, type RuntimeCommand } from "../context.ts";
import { RuntimeError } from "../failure.ts";
import { conditionOf, stateOf } from "../status.ts";
import { listDocuments } from "../store.ts";

/** `list`: every container below the root. */
const list: RuntimeCommand = {
  flags: { format: { short: "f", value: true }, quiet: { short: "q" } },
  run(context, given) {
    exactly(given, 0, "list");
    const form = given.get("format") ?? "table";
    const names = new Map<number, string>();
    const states = listDocuments(context.root).map((document) => {
      const condition = conditionOf(directoryOf(context, document.id), document);
      return stateOf(document, condition, ownerName(document.owner, names));
    });
    if (given.has("quiet")) writeSync(1, states.map(({ id }) => `${id}\n`).join(""));
    else if (form === "json") writeSync(1, `${JSON.stringify(states.length === 0 ? null : states)}\n`);
    else if (form === "table")
      writeSync(
        1,
        table([
          ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"],
          ...states.map(({ bundle, created, id, owner, pid, status }) => [
            id,
            String(pid),
            status,
            bundle,
            created,
            owner,
          ]),
        ]),
      );
    else throw new RuntimeError("invalid format option");
    return 0;
  },
};
export default list;

/** Columns at least twelve wide with three spaces between them, as Go's tabwriter is told to. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(12, ...rows.map((row) => (row[column] ?? "").length + 3)),
  );
  return rows
    .map((row) =>
      row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))),
    )
    .map((row) => `${row.join("")}\n`)
    .join("");
}

function ownerName(uid: number, names: Map<number, string>): string {
  if (names.size === 0)
    for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
      const [name = "", , id] = line.split(":");
      if (id !== undefined && !names.has(Number(id))) names.set(Number(id), name);
    }
  return names.get(uid) ?? `#${uid}`;
}
