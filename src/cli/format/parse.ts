import { functions } from "./functions.ts";
import { lex, type Piece, TemplateError, type Token } from "./lex.ts";

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipe: Pipe }
  | {
      readonly kind: "if" | "with" | "range";
      readonly pipe: Pipe;
      readonly then: Nodes;
      readonly otherwise: Nodes;
    }
  | { readonly kind: "break" | "continue" };
export type Nodes = readonly Node[];

export interface Pipe {
  /** `$x :=`, `$i, $v :=` or `$x =`. */
  readonly variables: readonly string[];
  readonly assigns: boolean;
  readonly commands: readonly (readonly Operand[])[];
}

export type Operand =
  | { readonly kind: "literal"; readonly value: string | number | boolean | null }
  | { readonly kind: "function"; readonly name: string }
  /** A start and fields after it: `.a.b`, `$x.a`, `(…).a`. */
  | {
      readonly kind: "path";
      readonly start: "." | string | Pipe;
      readonly fields: readonly string[];
      readonly text: string;
    };

/** Reads a template of Go's `text/template`. @throws TemplateError with Go's words */
export function parse(source: string): Nodes {
  const pieces = lex(source);
  const state = { at: 0 };
  const nodes = block(pieces, state, undefined);
  return nodes.nodes;
}

interface Block {
  readonly nodes: Nodes;
  /** What ended it: `end`, or `else` with what follows it. */
  readonly by?: readonly Token[];
}

function block(pieces: readonly Piece[], state: { at: number }, inside: string | undefined): Block {
  const nodes: Node[] = [];
  while (state.at < pieces.length) {
    const piece = pieces[state.at++] as Piece;
    if (piece.kind === "text") {
      nodes.push(piece);
      continue;
    }
    const word = piece.tokens[0]?.kind === "word" ? piece.tokens[0].text : "";
    const rest = piece.tokens.slice(1);
    if (word === "end" || word === "else") {
      if (inside === undefined) throw new TemplateError(`unexpected {{${word}}}`);
      return { nodes, by: piece.tokens };
    }
    if (word === "if" || word === "with" || word === "range") nodes.push(control(word, rest, pieces, state));
    else if (word === "break" || word === "continue") nodes.push({ kind: word });
    else if (piece.tokens.length === 0) throw new TemplateError("missing value for command");
    else nodes.push({ kind: "print", pipe: wholePipe(piece.tokens, "command") });
  }
  if (inside !== undefined) throw new TemplateError("unexpected EOF");
  return { nodes };
}

function control(
  kind: "if" | "with" | "range",
  tokens: readonly Token[],
  pieces: readonly Piece[],
  state: { at: number },
): Node {
  const pipe = wholePipe(tokens, kind);
  const { nodes: then, by = [] } = block(pieces, state, kind);
  if (by[0]?.text === "end") return { kind, pipe, then, otherwise: [] };
  const chained = by[1]?.text;
  if (chained === "if" || chained === "with")
    return { kind, pipe, then, otherwise: [control(chained, by.slice(2), pieces, state)] };
  return { kind, pipe, then, otherwise: block(pieces, state, kind).nodes };
}

function wholePipe(tokens: readonly Token[], context: string): Pipe {
  const cursor = { at: 0 };
  const found = pipe(tokens, cursor, context);
  const extra = tokens[cursor.at];
  if (extra) throw new TemplateError(`unexpected ${JSON.stringify(extra.text)} in ${context}`);
  return found;
}

function pipe(tokens: readonly Token[], cursor: { at: number }, context: string): Pipe {
  const { variables, assigns } = declaration(tokens, cursor);
  const commands: Operand[][] = [];
  do commands.push(command(tokens, cursor));
  while (tokens[cursor.at]?.text === "|" && ++cursor.at);
  if (commands.some((one) => one.length === 0)) throw new TemplateError(`missing value for ${context}`);
  return { variables, assigns, commands };
}

function declaration(tokens: readonly Token[], cursor: { at: number }): Pick<Pipe, "variables" | "assigns"> {
  const words = tokens.slice(cursor.at, cursor.at + 4).map((token) => token.text);
  const [first = "", second, third = "", fourth] = words;
  if (first.startsWith("$") && (second === ":=" || second === "=")) {
    cursor.at += 2;
    return { variables: [first], assigns: second === "=" };
  }
  if (
    first.startsWith("$") &&
    second === "," &&
    third.startsWith("$") &&
    (fourth === ":=" || fourth === "=")
  ) {
    cursor.at += 4;
    return { variables: [first, third], assigns: fourth === "=" };
  }
  return { variables: [], assigns: false };
}

function command(tokens: readonly Token[], cursor: { at: number }): Operand[] {
  const operands: Operand[] = [];
  for (;;) {
    const token = tokens[cursor.at];
    if (!token || token.text === "|" || token.text === ")") return operands;
    cursor.at++;
    operands.push(operand(token, tokens, cursor));
  }
}

function operand(token: Token, tokens: readonly Token[], cursor: { at: number }): Operand {
  switch (token.kind) {
    case "string":
      return { kind: "literal", value: unquote(token.text) };
    case "number":
      return { kind: "literal", value: Number(token.text) };
    case "char":
      return { kind: "literal", value: unquote(`"${token.text.slice(1, -1)}"`).codePointAt(0) ?? 0 };
    case "field":
      return path(".", [token.text.slice(1)], tokens, cursor);
    case "variable":
      return path(token.text, [], tokens, cursor);
    case "word":
      if (token.text === "true" || token.text === "false")
        return { kind: "literal", value: token.text === "true" };
      if (token.text === "nil") return { kind: "literal", value: null };
      if (!Object.hasOwn(functions, token.text) && token.text !== "and" && token.text !== "or")
        throw new TemplateError(`function "${token.text}" not defined`);
      return { kind: "function", name: token.text };
  }
  if (token.text === ".") return path(".", [], tokens, cursor);
  if (token.text !== "(") throw new TemplateError(`unexpected ${JSON.stringify(token.text)} in operand`);
  const inner = pipe(tokens, cursor, "parenthesized pipeline");
  if (tokens[cursor.at++]?.text !== ")") throw new TemplateError("unclosed left paren");
  return path(inner, [], tokens, cursor);
}

function path(
  start: "." | string | Pipe,
  fields: string[],
  tokens: readonly Token[],
  cursor: { at: number },
): Operand {
  for (let token = tokens[cursor.at]; token?.kind === "field" && !token.spaced; token = tokens[cursor.at]) {
    fields.push(token.text.slice(1));
    cursor.at++;
  }
  const head = typeof start !== "string" ? "(…)" : start === "." && fields.length > 0 ? "" : start;
  return { kind: "path", start, fields, text: head + fields.map((field) => `.${field}`).join("") };
}

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
};

function unquote(text: string): string {
  if (text.startsWith("`")) return text.slice(1, -1);
  return text
    .slice(1, -1)
    .replace(
      /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/g,
      (_, hex?: string, unicode?: string, char = "") =>
        hex || unicode
          ? String.fromCharCode(Number.parseInt(hex ?? unicode ?? "", 16))
          : (escapes[char] ?? char),
    );
}
