/** Go's `path.Match`: `*` and `?` stop at a slash, `[a-z]` and `[^a]` are classes, `\` takes a meaning away. */
export function glob(pattern: string, text: string): boolean {
  return globExpression(pattern)?.test(text) ?? false;
}

/** The pattern as a regular expression over the whole text; undefined for a malformed one. */
export function globExpression(pattern: string): RegExp | undefined {
  let source = "";
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!;
    if (character === "*") source += "[^/]*";
    else if (character === "?") source += "[^/]";
    else if (character === "[") {
      const end = pattern.indexOf("]", i + 2);
      if (end === -1) return undefined;
      const inside = pattern.slice(i + 1, end).replace(/[[\\]/g, "\\$&");
      source += `[${inside}]`;
      i = end;
    } else if (character === "\\" && i + 1 < pattern.length) source += literal(pattern[++i]!);
    else source += literal(character);
  }
  try {
    return new RegExp(`^${source}$`, "s");
  } catch {
    return undefined;
  }
}

function literal(character: string): string {
  return /[\\^$.*+?()[\]{}|/-]/.test(character) ? `\\${character}` : character;
}
