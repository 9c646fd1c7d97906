import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { codeOf } from "../oci/error.ts";

/** The paths that are in no other of them. */
export function outermost(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)];
  return unique.filter((path) => path !== "/" && !unique.some((other) => path.startsWith(`${other}/`)));
}

/** The path without symbolic links, as far as it is there. */
export function resolved(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return join(resolved(dirname(path)), path.slice(dirname(path).length));
    throw error;
  }
}
