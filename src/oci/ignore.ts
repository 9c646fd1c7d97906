import { posix } from "node:path";
import { globExpression } from "./glob.ts";

/** Whether a path of a build context (relative, with slashes) is left out. */
export type Ignores = (path: string) => boolean;

/**
 * `.dockerignore`: one pattern a line, `#` comments, `!` takes back, `**` spans directories; the last line that fits
 * decides. What is below a directory that fits is left out too, unless taken back.
 */
export function parseIgnore(text: string): Ignores {
  const rules: { readonly expression: RegExp; readonly back: boolean }[] = [];
  for (const line of text.replace(/^\ufeff/, "").split(/\r?\n/)) {
    let pattern = line.startsWith("#") ? "" : line.trim();
    if (pattern === "") continue;
    const back = pattern.startsWith("!");
    if (back) pattern = pattern.slice(1).trim();
    pattern = posix.normalize(pattern).replace(/^\/+/, "").replace(/\/+$/, "");
    const expression = globExpression(pattern, { doubleStar: true });
    if (expression === undefined)
      throw new Error(`Cannot use .dockerignore: bad pattern ${JSON.stringify(line)}`);
    rules.push({ expression, back });
  }
  return (path) => {
    const parts = path.split("/");
    const prefixes = parts.map((_, i) => parts.slice(0, i + 1).join("/"));
    let ignored = false;
    for (const { expression, back } of rules) {
      if (back === ignored && prefixes.some((prefix) => expression.test(prefix))) ignored = !back;
    }
    return ignored;
  };
}
