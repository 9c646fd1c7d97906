import { Failure } from "../failure.ts";
import { evaluate } from "./evaluate.ts";
import { TemplateError } from "./lex.ts";
import { type Nodes, parse } from "./parse.ts";
import { toJson } from "./print.ts";
import { alignColumns } from "./table.ts";
import { type Fields, markMap, type Value } from "./value.ts";

/** A list that `--format` can show: the usual columns, and all fields a template may name with their headers. */
export interface Listing {
  /** Usual template, without `table`. */
  readonly columns: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What `--quiet` prints of each row. */
  readonly id?: string;
}

export interface ListOptions {
  readonly format?: string | undefined;
  readonly quiet?: boolean;
}

/** The text of a list: a table, lines of a template, or JSON. @throws Failure for a template that is wrong */
export function listText(listing: Listing, rows: readonly Fields[], { format, quiet }: ListOptions): string {
  if (quiet && listing.id && (format === undefined || format === "table"))
    return rows.map((row) => `${fieldText(row, listing.id ?? "")}\n`).join("");
  if (format === "json" || format === "{{json .}}" || format === "{{ json . }}")
    return rows.map((row) => `${rowJson(row)}\n`).join("");
  if (format === undefined || format === "" || format === "table")
    return table(listing, listing.columns, rows);
  const columns = /^table\s/.test(format) ? format.slice(5).trimStart() : undefined;
  if (columns !== undefined) return table(listing, columns, rows);
  const nodes = template(format);
  return rows.map((row) => `${execute(nodes, row)}\n`).join("");
}

function table(listing: Listing, columns: string, rows: readonly Fields[]): string {
  const nodes = template(columns);
  const same = (value: Value) => value;
  // A header is the same template on the columns' names, with what would change them switched off.
  const header = evaluate(nodes, markMap({ ...listing.headers, Label: (name: Value) => labelHeader(name) }), {
    functions: { json: same, split: same, join: same, title: same, lower: same, upper: same, truncate: same },
  });
  const lines = rows.map((row) => execute(nodes, row));
  return `${alignColumns([header, ...lines].join("\n"))}\n`;
}

/** `com.example.name` as a header: its last part, with blanks. */
function labelHeader(name: Value): string {
  return (String(name).split(".").at(-1) ?? "").replaceAll("-", " ").replaceAll("_", " ");
}

function fieldText(row: Fields, name: string): string {
  return String(row[name] ?? "");
}

/** A template as it is typed in a shell: `\\t` and `\\n` are what they look like. @throws Failure for one that is none */
export function template(text: string, prefix = "failed to parse template: ", exitCode = 1): Nodes {
  try {
    return parse(text.replaceAll("\\t", "\t").replaceAll("\\n", "\n"));
  } catch (error) {
    if (error instanceof TemplateError)
      throw new Failure(`${prefix}template: :1: ${error.message}`, exitCode);
    throw error;
  }
}

/** Runs a template on one thing. @throws Failure with the template's error */
export function execute(
  nodes: Nodes,
  data: Value,
  prefix = "failed to execute template: ",
  exitCode = 1,
): string {
  try {
    return evaluate(nodes, data, {
      functions: {
        json: (value) => (value === data && prefix.startsWith("failed") ? rowJson(value) : toJson(value)),
      },
    });
  } catch (error) {
    if (error instanceof TemplateError)
      throw new Failure(`${prefix}template: :1: ${error.message}`, exitCode);
    throw error;
  }
}

/** A whole row as Go's `json.Marshal` writes it: what HTML could misread is escaped. */
function rowJson(row: Value): string {
  return toJson(row).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}
