/** A piece of a template: text, or the inside of `{{…}}` as words. */
export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly tokens: readonly Token[] };

export interface Token {
  readonly kind: "word" | "field" | "variable" | "string" | "number" | "char" | "mark";
  readonly text: string;
  /** Whether white space came before it: `.a .b` is two operands, `.a.b` is one. */
  readonly spaced: boolean;
}

/** A template that cannot be read or executed; `message` is Go's. */
export class TemplateError extends Error {}

const patterns: readonly (readonly [Token["kind"], RegExp])[] = [
  ["string", /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y],
  ["char", /'(?:[^'\\]|\\.[^']*)'/y],
  ["number", /[+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/y],
  ["variable", /\$[A-Za-z0-9_]*/y],
  ["field", /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ["word", /[\p{L}_][\p{L}\p{N}_]*/uy],
  ["mark", /:=|[.|()=,]/y],
];

/** Takes a template apart; `{{-` and `-}}` eat the white space beside them. @throws TemplateError */
export function lex(source: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  while (at < source.length) {
    const open = source.indexOf("{{", at);
    let text = source.slice(at, open < 0 ? undefined : open);
    if (trimNext) text = text.trimStart();
    if (open >= 0 && /^\{\{-\s/.test(source.slice(open, open + 4))) text = text.trimEnd();
    if (text) pieces.push({ kind: "text", text });
    if (open < 0) break;
    const inside = open + (/^\{\{-\s/.test(source.slice(open, open + 4)) ? 3 : 2);
    const comment = /\s*\/\*[\s\S]*?\*\/\s*?(\s-)?\}\}/y;
    comment.lastIndex = inside;
    const skipped = comment.exec(source);
    if (skipped) {
      trimNext = Boolean(skipped[1]);
      at = comment.lastIndex;
      continue;
    }
    const { tokens, end, trim } = action(source, inside);
    pieces.push({ kind: "action", tokens });
    trimNext = trim;
    at = end;
  }
  return pieces;
}

function action(source: string, start: number): { tokens: readonly Token[]; end: number; trim: boolean } {
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    const space = /\s*/y;
    space.lastIndex = at;
    const blanks = space.exec(source)?.[0].length ?? 0;
    at += blanks;
    if (source.startsWith("}}", at)) return { tokens, end: at + 2, trim: false };
    if (blanks > 0 && source.startsWith("-}}", at)) return { tokens, end: at + 3, trim: true };
    if (at >= source.length) throw new TemplateError("unclosed action");
    const token = next(source, at);
    tokens.push({ ...token, spaced: blanks > 0 || tokens.length === 0 });
    at += token.text.length;
  }
}

function next(source: string, at: number): Omit<Token, "spaced"> {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0];
    if (text) return { kind, text };
  }
  const char = String.fromCodePoint(source.codePointAt(at) ?? 0);
  if (char === '"') throw new TemplateError("unterminated quoted string");
  if (char === "`") throw new TemplateError("unterminated raw quoted string");
  const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  throw new TemplateError(`unexpected ${JSON.stringify(char)} (U+${code}) in command`);
}
