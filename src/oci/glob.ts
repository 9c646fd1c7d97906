import type { LinearRegexp } from "./regexp.ts";

/** Go's `path.Match`: `*` and `?` stop at a slash, `[a-z]` and `[^a]` are classes, `\` takes a meaning away. */
export function glob(pattern: string, text: string): boolean {
  return globExpression(pattern)?.test(text) ?? false;
}

/** One character of the text, or, with `many`, any number of them. */
interface Token {
  readonly many: boolean;
  readonly accepts: (character: string) => boolean;
}

const NOT_SLASH = (character: string): boolean => character !== "/";

/** The pattern as an expression over the whole text, never slow; undefined for a malformed one. */
export function globExpression(pattern: string): LinearRegexp | undefined {
  const source = [...pattern];
  const tokens: Token[] = [];
  for (let i = 0; i < source.length; i++) {
    const character = source[i]!;
    if (character === "*") tokens.push({ many: true, accepts: NOT_SLASH });
    else if (character === "?") tokens.push({ many: false, accepts: NOT_SLASH });
    else if (character === "[") {
      const end = source.indexOf("]", i + 2);
      const accepts = end < 0 ? undefined : classOf(source.slice(i + 1, end));
      if (accepts === undefined) return undefined;
      tokens.push({ many: false, accepts });
      i = end;
    } else {
      const meant = character === "\\" && i + 1 < source.length ? source[++i]! : character;
      tokens.push({ many: false, accepts: (one) => one === meant });
    }
  }
  return { test: (text) => matches(tokens, text) };
}

/** What is between the brackets; undefined where a range runs backwards. */
function classOf(inside: readonly string[]): ((character: string) => boolean) | undefined {
  const negated = inside[0] === "^";
  const members = negated ? inside.slice(1) : inside;
  const ranges: (readonly [string, string])[] = [];
  for (let i = 0; i < members.length; i++) {
    const low = members[i]!;
    const high = members[i + 1] === "-" ? members[i + 2] : undefined;
    if (high !== undefined) i += 2;
    if (high !== undefined && high < low) return undefined;
    ranges.push([low, high ?? low]);
  }
  return (one) => ranges.some(([low, high]) => one >= low && one <= high) !== negated;
}

/** Every place of the pattern that the text so far can have led to, at once. */
function matches(tokens: readonly Token[], text: string): boolean {
  let places = new Set<number>();
  const reach = (place: number, into: Set<number>): void => {
    for (let at = place; !into.has(at); at++) {
      into.add(at);
      if (tokens[at]?.many !== true) return;
    }
  };
  reach(0, places);
  for (const character of text) {
    const next = new Set<number>();
    for (const place of places) {
      const token = tokens[place];
      if (token?.accepts(character)) reach(token.many ? place : place + 1, next);
    }
    places = next;
    if (places.size === 0) return false;
  }
  return places.has(tokens.length);
}
