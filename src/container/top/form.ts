import { COLUMNS, type Column } from "./columns.ts";

const PLAIN = "pid tname=TTY time ucmd";
const FULL = "user=UID pid ppid c stime tname=TTY time cmd";

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

/**
 * The columns that arguments of `ps` ask for.
 * @returns its sentence where it understands an argument not
 */
export function columnsOf(text: string): readonly Column[] | string {
  const words = text.split(/\s+/);
  const asked: string[] = [];
  let form = "";
  let dashed = true;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const long = /^--(?:format[= ]?|sort[= ])(.*)$/.exec(word);
    if (word.startsWith("--format")) asked.push(long?.[1] || (words[++at] ?? ""));
    else if (word === "--forest" || word === "--deselect" || word.startsWith("--sort")) continue;
    else if (word.startsWith("--")) return "ps: error: unknown gnu long option";
    else {
      dashed = word.startsWith("-") || (dashed && at > 0);
      const option = /^(-?[A-Za-z]*?)([oO])(.*)$/.exec(word);
      const letters = (option?.[1] ?? word).replace("-", "");
      if (option) asked.push(option[3] || (words[++at] ?? ""));
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
