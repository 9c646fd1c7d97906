/** How `$NAME` is answered; undefined for what is not set. */
export type Variables = (name: string) => string | undefined;

/** The character that continues a line and takes away a meaning: `\` unless a directive says "`". */
export type Escape = "\\" | "`";

/**
 * Splits an instruction's arguments at blanks as Dockerfiles do: quotes group, the escape character takes a meaning
 * away, `$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME:+word}` are replaced (not in single quotes). Without
 * `variables` a dollar means itself.
 */
export function splitWords(text: string, variables?: Variables, mark: Escape = "\\"): string[] {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++;
      continue;
    }
    const word = readWord(text, at, variables, mark, true);
    words.push(word.value);
    at = word.end;
  }
  return words;
}

/** The same replacements in a text that stays one word. */
export function expand(text: string, variables: Variables, mark: Escape = "\\"): string {
  return readWord(text, 0, variables, mark, false).value;
}

/** What is longer can be no argument and no variable of a program (MAX_ARG_STRLEN of execve(2)). */
const LENGTH_MAX = 128 * 1024;
/** Substitutions in the words of substitutions. */
const DEPTH_MAX = 50;

function readWord(
  text: string,
  start: number,
  variables: Variables | undefined,
  mark: Escape,
  stopAtBlank: boolean,
  depth = 0,
): { readonly value: string; readonly end: number } {
  let value = "";
  let quote = "";
  let at = start;
  if (depth > DEPTH_MAX) throw new Error("syntax error: substitutions nest too deeply");
  while (at < text.length) {
    if (value.length > LENGTH_MAX)
      throw new Error("what it becomes is longer than 128 KiB, which no program can be given");
    const character = text[at]!;
    if (quote === "" && stopAtBlank && /\s/.test(character)) break;
    if (character === quote) quote = "";
    else if (quote === "" && (character === '"' || character === "'")) quote = character;
    else if (character === mark && quote !== "'" && at + 1 < text.length) {
      const next = text[at + 1]!;
      // Inside double quotes only these lose their meaning; the escape character stays before others.
      value += quote === '"' && !`"$${mark}`.includes(next) ? mark + next : next;
      at++;
    } else if (character === "$" && quote !== "'" && variables !== undefined) {
      const found = readVariable(text, at, variables, mark, depth);
      value += found.value;
      at = found.end;
      continue;
    } else value += character;
    at++;
  }
  if (quote !== "")
    throw new Error(
      `unexpected end of statement while looking for matching ${quote === '"' ? "double" : "single"}-quote`,
    );
  return { value, end: at };
}

function readVariable(
  text: string,
  start: number,
  variables: Variables,
  mark: Escape,
  depth: number,
): { readonly value: string; readonly end: number } {
  const name = /\$([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?!$-])/y;
  name.lastIndex = start;
  const plain = name.exec(text);
  if (plain !== null) return { value: variables(plain[1]!) ?? "", end: start + plain[0].length };
  if (text[start + 1] !== "{") return { value: "$", end: start + 1 };
  const end = closing(text, start + 2, mark);
  const inside = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])(.*))?$/s.exec(text.slice(start + 2, end));
  if (end === -1 || inside === null)
    throw new Error(`syntax error: bad substitution in ${JSON.stringify(text)}`);
  const [, wanted = "", operator = "", word = ""] = inside;
  const value = variables(wanted);
  const set = operator.startsWith(":") ? value !== undefined && value !== "" : value !== undefined;
  const other = (): string => readWord(word, 0, variables, mark, false, depth + 1).value;
  if (operator.endsWith("-")) return { value: set ? (value ?? "") : other(), end: end + 1 };
  if (operator.endsWith("+")) return { value: set ? other() : "", end: end + 1 };
  if (operator.endsWith("?") && !set) throw new Error(`${wanted}: ${word === "" ? "not set" : other()}`);
  return { value: value ?? "", end: end + 1 };
}

/** Where the brace that is open before `start` closes; one is opened by a dollar that has its meaning. */
function closing(text: string, start: number, mark: Escape): number {
  let depth = 1;
  for (let at = start; at < text.length; at++) {
    if (text[at] === mark) at++;
    else if (text[at] === "$" && text[at + 1] === "{") {
      depth++;
      at++;
    } else if (text[at] === "}" && --depth === 0) return at;
  }
  return -1;
}

/** A JSON list of strings, or undefined when the text is none (then it is a shell's command line). */
export function execForm(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((item) => typeof item === "string") ? list : undefined;
  } catch {
    return undefined;
  }
}
