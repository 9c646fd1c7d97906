import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";

/** The repository's top folder. */
export const ROOT = resolve(import.meta.dirname, "../..");

/** A source file as the checks see it. */
export interface Source {
  /** Path from the top folder, `src/plan/step.ts`. */
  readonly path: string;
  readonly text: string;
  /** Paths from the top folder of the files it imports, packages and `node:` left out. */
  readonly imports: readonly string[];
  /** Those of them that are there when the program runs: `import type` is not. */
  readonly loads: readonly string[];
}

/** Something wrong in a file, as `path:line: what`. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

const IMPORT =
  /^(?:import|export)\s[^"';]*?from\s+"(\.[^"]+)"|^import\s+"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm;

/** All TypeScript of the repository. */
export function readSources(): Source[] {
  return globSync("{src,test,tools}/**/*.ts", { cwd: ROOT })
    .sort()
    .map((path) => {
      const text = readFileSync(join(ROOT, path), "utf8");
      const found = [...text.matchAll(IMPORT)].map((match) => ({
        target: normalize(join(dirname(path), match[1] ?? match[2] ?? match[3] ?? "")),
        erased: /^(?:import|export) type\b/.test(match[0]),
      }));
      const imports = found.map(({ target }) => target);
      const loads = found.filter(({ erased }) => !erased).map(({ target }) => target);
      return { path, text, imports, loads };
    });
}

/** The line of a position in a text, counted from 1. */
export function lineOf(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < index; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
