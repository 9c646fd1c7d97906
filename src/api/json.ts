/** The first value of a text, or why there is none, in the words of Go's `encoding/json`: clients look for them. */
export type Json = { readonly value: unknown; readonly rest: string } | { readonly wrong: string };

/** @param bytes JSON, maybe with more after it, which is `rest` (from its first letter on) */
export function readJson(bytes: Buffer): Json {
  try {
    return { value: JSON.parse(bytes.toString()), rest: "" };
  } catch {
    // Go reads byte by byte, and so do its words.
    const text = bytes.toString("latin1");
    const end = firstValue(text);
    if (typeof end === "string") return { wrong: end };
    return { value: JSON.parse(bytes.toString("utf8", 0, end)), rest: text.slice(end).trimStart() };
  }
}

/** Go's bound. */
const DEEPEST = 10_000;
const BLANK = /[ \t\n\r]*/y;

/** Where the first value ends, or what is wrong with it. */
function firstValue(text: string): number | string {
  let at = 0;
  const inside: ("{" | "[")[] = [];
  const wrong = (where: string): string =>
    at < text.length ? `invalid character ${quoted(text[at]!)} ${where}` : "unexpected EOF";
  /** The next character that is not blank. */
  const next = (): string => {
    BLANK.lastIndex = at;
    BLANK.test(text);
    at = BLANK.lastIndex;
    return text[at] ?? "";
  };
  const scalar = (): string | undefined => {
    const [end, where] = scalarAt(text, at);
    at = end;
    return where && wrong(where);
  };
  /** Of an object: a key and its colon. */
  const key = (): string | undefined => {
    if (next() !== '"') return wrong("looking for beginning of object key string");
    const bad = scalar();
    if (bad) return bad;
    if (next() !== ":") return wrong("after object key");
    at++;
    return undefined;
  };

  for (;;) {
    const open = next();
    if (open === "{" || open === "[") {
      at++;
      if (inside.push(open) > DEEPEST) return "exceeded max depth";
      if (next() !== CLOSING[open]) {
        const bad = open === "{" ? key() : undefined;
        if (bad) return bad;
        continue;
      }
    } else {
      const bad = scalar();
      if (bad) return bad;
    }
    // A value has ended, and maybe what it was in.
    while (inside.length > 0 && next() === CLOSING[inside.at(-1)!]) {
      inside.pop();
      at++;
    }
    const outer = inside.at(-1);
    if (!outer) return at;
    if (next() !== ",") return wrong(outer === "{" ? "after object key:value pair" : "after array element");
    at++;
    const bad = outer === "{" ? key() : undefined;
    if (bad) return bad;
  }
}

const CLOSING = { "{": "}", "[": "]" } as const;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a text
const STRING = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;

/** A text, number or word: where it ends; or how far it is right, and where it goes wrong. */
function scalarAt(text: string, from: number): readonly [end: number, wrong?: string] {
  const endOf = (pattern: RegExp): number => {
    pattern.lastIndex = from;
    return pattern.test(text) ? pattern.lastIndex : from;
  };
  const first = text[from] ?? "";
  if (first === '"') {
    const end = endOf(STRING);
    if (text[end] === '"') return [end + 1];
    if (text[end] !== "\\") return [end, "in string literal"];
    if (text[end + 1] !== "u") return [end + 1, "in string escape code"];
    const digits = /^[0-9a-fA-F]*/.exec(text.slice(end + 2, end + 6))![0].length;
    return [end + 2 + digits, "in \\u hexadecimal character escape"];
  }
  if (/[-\d]/.test(first)) {
    const end = endOf(NUMBER);
    if (end === from) return [from + 1, "in numeric literal"];
    const number = text.slice(from, end);
    if (text[end] === "." && !/[.eE]/.test(number))
      return [end + 1, "after decimal point in numeric literal"];
    const exponent = /[eE]/.test(number) ? null : /^[eE][-+]?/.exec(text.slice(end, end + 2));
    return exponent ? [end + exponent[0].length, "in exponent of numeric literal"] : [end];
  }
  const word = ["true", "false", "null"].find((one) => one[0] === first);
  if (!word) return [from, "looking for beginning of value"];
  const right = [...word].findIndex((letter, index) => text[from + index] !== letter);
  return right < 0 ? [from + word.length] : [from + right, `in literal ${word} (expecting '${word[right]}')`];
}

/** As Go's `strconv.Quote` writes one byte, between single quotes. */
function quoted(char: string): string {
  const byte = char.charCodeAt(0);
  const known: Readonly<Record<string, string>> = {
    "\x07": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    "'": "\\'",
  };
  if (known[char]) return `'${known[char]}'`;
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, "0")}'`;
  if ((byte >= 0x80 && byte <= 0xa0) || byte === 0xad) return `'\\u00${byte.toString(16)}'`;
  return `'${char}'`;
}
