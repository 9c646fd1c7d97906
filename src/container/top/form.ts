import { COLUMNS, type Column } from "./columns.ts";

const PLAIN = "pid tname=TTY time ucmd";
const FULL = "user=UID pid ppid c stime tname=TTY time cmd";

/** Docker's words: it needs the titles, and among them this one. */
export const NO_PID = "Couldn't find PID field in ps output";

/** What the letters of ps(1) that choose a form show: those behind a dash, and those without one. */
const DASHED: Readonly<Record<string, string>> = {
  "": PLAIN,
  f: FULL,
  F: "user=UID pid ppid c sz rss psr stime tname=TTY time cmd",
  l: "f s uid pid ppid c opri=PRI ni addr sz wchan tname=TTY time ucmd",
  ly: "s uid pid ppid c opri=PRI ni rss sz wchan tname=TTY time ucmd",
  j: "pid pgid sid tname=TTY time ucmd",
  T: "pid spid tname=TTY time ucmd",
};
const UNDASHED: Readonly<Record<string, string>> = {
  "": "pid tname=TTY stat bsdtime args",
  u: "user pid %cpu %mem vsz rss tname=TTY stat start_time bsdtime args",
  l: "f uid pid ppid opri=PRI ni vsz rss wchan stat tname=TTY bsdtime args",
  j: "ppid pid pgid sid tname=TTY tpgid=TPGID stat uid bsdtime args",
};

/** Letters that choose processes or how wide they are shown: the container's are chosen already. */
const CHOOSE = new Set(["e", "A", "a", "x", "d", "g", "N", "w", "H", "r", "n", "c", "h"]);

/** What arguments of `ps` ask for. */
export interface Form {
  readonly columns: readonly Column[];
  /** Programs that are asked for by name (`-C`); none: all. */
  readonly programs: readonly string[];
  /** What lines are sorted by. */
  readonly order: readonly { readonly column: Column; readonly descending: boolean }[];
}

/** Docker finds pids by the title: no other column may have it. */
const NOT_PID = /\s+(\S*)=\s*(PID\S*)/g;

/**
 * Reads arguments of `ps`.
 * @returns its sentence, or Docker's, where it understands an argument not
 */
export function formOf(text: string): Form | string {
  for (const [, name, title] of text.matchAll(NOT_PID))
    if (name !== "pid") return `specifying ${JSON.stringify(`${name}=${title}`.slice(0, 80))} is not allowed`;
  const words = text.split(/\s+/);
  const programs: string[] = [];
  const sorted: string[] = [];
  const columns = columnsOf(words, programs, sorted);
  if (typeof columns === "string") return columns;
  const order = sorted.flatMap((keys) => keys.split(",").filter(Boolean).map(sortKey));
  if (order.includes(undefined)) return "ps: error: unknown sort specifier";
  return { columns, programs, order: order.filter((key) => key !== undefined) };
}

/** `-rss` or `+pid`. */
function sortKey(word: string): Form["order"][number] | undefined {
  const name = word.replace(/^[+-]/, "").toLowerCase();
  const column = Object.hasOwn(COLUMNS, name) ? COLUMNS[name] : undefined;
  return column && { column, descending: word.startsWith("-") };
}

function columnsOf(
  words: readonly string[],
  programs: string[],
  sorted: string[],
): readonly Column[] | string {
  const asked: string[] = [];
  let form = "";
  let dashed = true;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const long = /^--(?:format|sort)=?(.*)$/.exec(word);
    if (word.startsWith("--format")) asked.push(long?.[1] || (words[++at] ?? ""));
    else if (word.startsWith("--sort")) {
      const keys = long?.[1] || (words[++at] ?? "");
      if (keys === "") return "ps: error: long sort specification must follow --sort";
      sorted.push(keys);
    } else if (word.startsWith("-C")) {
      const names = word.slice(2) || (words[++at] ?? "");
      if (names === "") return "ps: error: list of command names must follow -C";
      programs.push(...names.split(","));
    } else if (word === "--forest" || word === "--deselect" || /^--head(er|ing)s?$/.test(word)) continue;
    else if (/^--no-?head(er|ing)s?$/.test(word)) return NO_PID;
    else if (word.startsWith("--")) return "ps: error: unknown gnu long option";
    else {
      dashed = word.startsWith("-") || (dashed && at > 0);
      const option = /^(-?[A-Za-z]*?)([oO])(.*)$/.exec(word);
      const letters = (option?.[1] ?? word).replace("-", "");
      if (option) {
        const list = option[3] || (words[++at] ?? "");
        if (list === "") return "ps: error: format specification must follow -o";
        asked.push(list);
      }
      for (const letter of letters) {
        if (letter === "y" || letter === "f" || !CHOOSE.has(letter)) form += letter;
        if (!/[A-Za-z]/.test(letter)) return "ps: error: unsupported option (BSD syntax)";
      }
    }
  }
  if (asked.length > 0) return listed(asked.join(","));
  // BSD's `f` draws a tree, which these lists have not.
  const known = dashed ? DASHED : UNDASHED;
  const name = [...new Set(dashed ? form : form.replaceAll("f", ""))].join("");
  const columns = known[name];
  return columns === undefined ? "ps: error: unsupported SysV option" : listed(columns.replaceAll(" ", ","));
}

/** `pid,user=WHO,args`: columns with the titles they are to have. */
function listed(text: string): readonly Column[] | string {
  const columns: Column[] = [];
  for (const word of text.split(/[,\s]+/).filter(Boolean)) {
    const [name = "", title] = word.split("=", 2);
    const column =
      SPECIAL[name] ?? (Object.hasOwn(COLUMNS, name.toLowerCase()) ? COLUMNS[name.toLowerCase()] : undefined);
    if (!column)
      return `ps: error: unknown user-defined format specifier ${JSON.stringify(name.slice(0, 80))}`;
    columns.push(title === undefined ? column : { ...column, title });
  }
  return columns;
}

/** What only forms of old show. */
const SPECIAL: Readonly<Record<string, Column>> = {
  addr: { title: "ADDR", value: () => "-" },
  opri: { title: "PRI", value: (p) => String(p.priority) },
  spid: { title: "SPID", value: (p) => String(p.pid) },
  tpgid: { title: "TPGID", value: () => "-1" },
};
