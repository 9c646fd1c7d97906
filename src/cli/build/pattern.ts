/** A pattern of `.dockerignore` as an expression, fast for the many paths of a context. @throws Error where it is none */
export function ignoreRegExp(pattern: string): RegExp {
  let source = "";
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] as string;
    if (char === "*" && pattern[i + 1] === "*") {
      i++;
      if (pattern[i + 1] === "/") {
        i++;
        source += "(?:.*/)?";
      } else source += ".*";
    } else if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "[") {
      const end = pattern.indexOf("]", i + 1);
      if (end < 0)
        throw new Error(`Cannot read the pattern "${pattern}" of .dockerignore: a [ without its ]`);
      source += pattern.slice(i, end + 1);
      i = end;
    } else if (char === "\\" && i + 1 < pattern.length) source += literal(pattern[++i] as string);
    else source += literal(char);
  }
  return new RegExp(`^${source}$`);
}

function literal(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}
