/** The parts of a regular expression. */
export type Node =
  | { readonly kind: "one"; readonly accepts: (character: string) => boolean }
  | { readonly kind: "assert"; readonly holds: (text: string, at: number) => boolean }
  | { readonly kind: "all"; readonly parts: readonly Node[] }
  | { readonly kind: "any"; readonly parts: readonly Node[] }
  | { readonly kind: "repeat"; readonly part: Node; readonly least: number; readonly most?: number };

/** The ends of the text. */
export const BEGIN: Node = { kind: "assert", holds: (_, at) => at === 0 };
export const END: Node = { kind: "assert", holds: (text, at) => at === text.length };

/** As in Go (regexp/syntax). */
const REPEAT_MAX = 1000;
const DEPTH_MAX = 100;

const digit = (character: string): boolean => /^[0-9]$/.test(character);
const word = (character: string): boolean => /^\w$/.test(character);
const space = (character: string): boolean => /^[\t\n\f\r ]$/.test(character);
const not =
  (accepts: (character: string) => boolean) =>
  (character: string): boolean =>
    !accepts(character);
const CLASSES: Readonly<Record<string, (character: string) => boolean>> = {
  d: digit,
  D: not(digit),
  w: word,
  W: not(word),
  s: space,
  S: not(space),
};
const CONTROLS: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v", a: "\x07" };
const boundary = (text: string, at: number): boolean => word(text.charAt(at - 1)) !== word(text.charAt(at));

/** @throws Error for what is malformed, or is not in Go's syntax */
export function parseRegexp(pattern: string): Node {
  const source = [...pattern];
  let at = 0;
  const bad = (what: string): Error => new Error(`error parsing regexp: ${what}`);
  const is = (character: string): boolean => source[at] === character;
  const take = (character: string): boolean => {
    if (!is(character)) return false;
    at++;
    return true;
  };

  const alternatives = (depth: number): Node => {
    if (depth > DEPTH_MAX) throw bad("expression nests too deeply");
    const parts = [sequence(depth)];
    while (take("|")) parts.push(sequence(depth));
    return parts.length === 1 ? parts[0]! : { kind: "any", parts };
  };
  const sequence = (depth: number): Node => {
    const parts: Node[] = [];
    while (at < source.length && !is("|") && !is(")")) parts.push(repeated(atom(depth)));
    return { kind: "all", parts };
  };
  const repeated = (part: Node): Node => {
    const range = bounds();
    if (range === undefined) return part;
    // What is matched does not depend on greed.
    take("?");
    if (is("*") || is("+") || is("?")) throw bad("invalid nested repetition operator");
    return { kind: "repeat", part, ...range };
  };
  const bounds = (): { least: number; most?: number } | undefined => {
    if (take("*")) return { least: 0 };
    if (take("+")) return { least: 1 };
    if (take("?")) return { least: 0, most: 1 };
    if (!is("{")) return undefined;
    const [whole, least, comma, most] =
      /^\{(\d{1,9})(,?)(\d{0,9})\}/.exec(source.slice(at, at + 24).join("")) ?? [];
    // Anything else in braces is meant literally.
    if (whole === undefined || least === undefined) return undefined;
    const last = comma === "" ? Number(least) : most === "" ? undefined : Number(most);
    if (Number(least) > REPEAT_MAX || (last !== undefined && (last > REPEAT_MAX || last < Number(least))))
      throw bad("invalid repeat count");
    at += whole.length;
    return { least: Number(least), ...(last === undefined ? {} : { most: last }) };
  };
  const atom = (depth: number): Node => {
    const character = source[at++]!;
    if (character === "(") {
      if (take("?") && !take(":")) throw bad("invalid or unsupported Perl syntax");
      const inner = alternatives(depth + 1);
      if (!take(")")) throw bad("missing closing )");
      return inner;
    }
    if (character === "*" || character === "+" || character === "?")
      throw bad("missing argument to repetition operator");
    if (character === ".") return { kind: "one", accepts: (one) => one !== "\n" };
    if (character === "^") return BEGIN;
    if (character === "$") return END;
    if (character === "[") return { kind: "one", accepts: characterClass() };
    if (character !== "\\") return { kind: "one", accepts: (one) => one === character };
    const escaped = source[at];
    if (escaped === "b" || escaped === "B") {
      at++;
      return {
        kind: "assert",
        holds: (text, offset) => boundary(text, offset) === (escaped === "b"),
      };
    }
    return { kind: "one", accepts: escaping() };
  };
  const escaping = (): ((character: string) => boolean) => {
    const name = source[at] ?? "";
    const named = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
    if (named !== undefined) {
      at++;
      return named;
    }
    const meant = literal();
    return (one) => one === meant;
  };
  /** After a backslash: one character. */
  const literal = (): string => {
    const character = source[at++];
    if (character === undefined) throw bad("trailing backslash at end of expression");
    if (Object.hasOwn(CONTROLS, character)) return CONTROLS[character]!;
    if (/^[0-9A-Za-z]$/.test(character)) throw bad("invalid escape sequence");
    return character;
  };
  const characterClass = (): ((character: string) => boolean) => {
    const negated = take("^");
    const accepted: ((character: string) => boolean)[] = [];
    for (let first = true; first || !is("]"); first = false) {
      const character = source[at++];
      if (character === undefined) throw bad("missing closing ]");
      if (character === "\\" && source[at] !== undefined && Object.hasOwn(CLASSES, source[at]!)) {
        accepted.push(CLASSES[source[at++]!]!);
        continue;
      }
      const low = character === "\\" ? literal() : character;
      let high = low;
      if (is("-") && source[at + 1] !== "]" && source[at + 1] !== undefined) {
        at++;
        high = source[at++]!;
        if (high === "\\") high = literal();
        if (high < low) throw bad("invalid character class range");
      }
      accepted.push((one) => one >= low && one <= high);
    }
    at++;
    return (one) => accepted.some((accepts) => accepts(one)) !== negated;
  };

  const whole = alternatives(0);
  if (at < source.length) throw bad("unexpected )");
  return whole;
}
