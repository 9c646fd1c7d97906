/**
 * `.dockerignore`: whether a path of the context is left out. Patterns are those of Go's `filepath.Match` with
 * `**` for any number of directories; the last that matches a path or one of its parents decides; `!` takes back
 * (docs of the Dockerfile, ".dockerignore files").
 */
export interface Ignore {
  excluded(path: string): boolean;
  /** Whether something below an excluded directory may be wanted again. */
  readonly hasExceptions: boolean;
}

/**
 * Reads the text of a `.dockerignore`.
 * @param compile makes an expression of a pattern; @throws Error for a pattern that is none
 */
export function parseIgnore(
  text: string,
  compile: (pattern: string) => { test(path: string): boolean },
): Ignore {
  const rules = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const keeps = line.startsWith("!");
      const pattern = clean(keeps ? line.slice(1).trim() : line);
      return { keeps, regexp: compile(pattern) };
    });
  return {
    hasExceptions: rules.some((rule) => rule.keeps),
    excluded(path) {
      const parents = path.split("/").map((_, i, parts) => parts.slice(0, i + 1).join("/"));
      let out = false;
      for (const { keeps, regexp } of rules) if (parents.some((parent) => regexp.test(parent))) out = !keeps;
      return out;
    },
  };
}

/** Without leading slash, `.` and `..`, as `filepath.Clean` leaves it. */
function clean(pattern: string): string {
  const parts: string[] = [];
  for (const part of pattern.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}
