import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { toByteText } from "../image/tar/entry.ts";
import { codeOf } from "../oci/error.ts";
import { inDirectory, makeWhiteout, type RunPlan } from "./kernel.ts";

/**
 * Fills an empty directory so that, stacked on `below`, the paths `hidden` (absolute) are not seen. Directories
 * on the way to them look as they do below. Resolves to the paths of the marks, relative.
 */
export async function hidingLayer(
  files: string,
  below: readonly string[],
  hidden: readonly string[],
  runPlan: RunPlan,
): Promise<string[]> {
  const lowest = below.at(-1);
  if (lowest === undefined) return [];
  likeBelow(files, lowest);
  const paths = outermost(hidden.map(resolved));
  for (const path of paths) {
    const made: string[] = [];
    for (let at = dirname(path); at !== "/" && !fs.existsSync(join(files, at)); at = dirname(at))
      made.push(at);
    for (const directory of made.reverse()) {
      fs.mkdirSync(join(files, directory));
      likeBelow(join(files, directory), join(lowest, directory));
    }
  }
  const marks = paths.map((path) => makeWhiteout(toByteText(path.slice(1))));
  if (marks.length > 0) await runPlan({ steps: [...inDirectory(toByteText(files)), ...marks] });
  return paths.map((path) => path.slice(1));
}

/**
 * Repeats the marks of such a layer in an upper directory. The kernel refuses lower directories that lie in one
 * another (ELOOP, "overlapping lowerdir path"), and everything lies in "/", but an upper directory may. The marks are
 * hard links: no call that Node lacks is on the way of a start.
 */
export function hideInUpper(upper: string, files: string, hidden: readonly string[]): void {
  for (const path of hidden) {
    const made: string[] = [];
    for (let at = dirname(path); at !== "." && !fs.existsSync(join(upper, at)); at = dirname(at))
      made.push(at);
    for (const directory of [...made].reverse()) fs.mkdirSync(join(upper, directory));
    fs.linkSync(join(files, path), join(upper, path));
    for (const directory of made) likeBelow(join(upper, directory), join(files, directory));
  }
}

/** What is inside of another hidden path needs no mark, and has no place for one. */
function outermost(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)];
  return unique.filter((path) => path !== "/" && !unique.some((other) => path.startsWith(`${other}/`)));
}

function resolved(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return join(resolved(dirname(path)), path.slice(dirname(path).length));
    throw error;
  }
}

function likeBelow(path: string, below: string): void {
  const stat = fs.statSync(below, { throwIfNoEntry: false });
  if (stat === undefined) return;
  fs.chownSync(path, stat.uid, stat.gid);
  fs.chmodSync(path, stat.mode & 0o7777);
  fs.utimesSync(path, stat.atimeMs / 1000, stat.mtimeMs / 1000);
}
