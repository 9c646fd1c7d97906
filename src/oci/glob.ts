import { type LinearRegexp, matcher } from "./regexp.ts";
import { END, type Node } from "./regexp-parse.ts";

/** Go's `path.Match`: `*` and `?` stop at a slash, `[a-z]` and `[^a]` are classes, `\` takes a meaning away. */
export function glob(pattern: string, text: string): boolean {
  return globExpression(pattern)?.test(text) ?? false;
}

const NOT_SLASH: Node = { kind: "one", accepts: (character) => character !== "/" };

const ANY: Node = { kind: "one", accepts: () => true };

/**
 * A pattern of `.dockerignore`, in which `**` is any number of directories, as an expression that is never slow.
 * @throws Error for a malformed one
 */
export function deepGlob(pattern: string): LinearRegexp {
  const expression = globExpression(pattern, true);
  if (expression === undefined) throw new Error(`Cannot read the pattern "${pattern}"`);
  return expression;
}

/** The pattern as an expression over the whole text, never slow; undefined for a malformed one. */
export function globExpression(pattern: string, deep = false): LinearRegexp | undefined {
  const source = [...pattern];
  const parts: Node[] = [];
  for (let i = 0; i < source.length; i++) {
    const character = source[i]!;
    if (deep && character === "*" && source[i + 1] === "*") {
      i++;
      const any: Node = { kind: "repeat", part: ANY, least: 0 };
      // With its slash it may be nothing at all.
      const directories: Node = { kind: "all", parts: [any, { kind: "one", accepts: (one) => one === "/" }] };
      if (source[i + 1] !== "/") parts.push(any);
      else {
        i++;
        parts.push({ kind: "repeat", part: directories, least: 0, most: 1 });
      }
    } else if (character === "*") parts.push({ kind: "repeat", part: NOT_SLASH, least: 0 });
    else if (character === "?") parts.push(NOT_SLASH);
    else if (character === "[") {
      const end = source.indexOf("]", i + 2);
      const accepts = end < 0 ? undefined : classOf(source.slice(i + 1, end));
      if (accepts === undefined) return undefined;
      parts.push({ kind: "one", accepts });
      i = end;
    } else {
      const meant = character === "\\" && i + 1 < source.length ? source[++i]! : character;
      parts.push({ kind: "one", accepts: (one) => one === meant });
    }
  }
  return { test: matcher({ kind: "all", parts: [...parts, END] }, "start") };
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
