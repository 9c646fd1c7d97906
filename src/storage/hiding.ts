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
  const paths = outermost(hidden.map(resolved)).map((path) => path.slice(1));
  const directories = parentsOf(paths);
  for (const directory of directories) fs.mkdirSync(join(files, directory));
  const marks = paths.map((path) => makeWhiteout(toByteText(path)));
  if (marks.length > 0) await runPlan({ steps: [...inDirectory(toByteText(files)), ...marks] });
  for (const directory of ["", ...directories]) likeBelow(join(files, directory), join(lowest, directory));
  return paths;
}

/**
 * Repeats the marks of such a layer in an upper directory. The kernel refuses lower directories that lie in one
 * another (ELOOP, "overlapping lowerdir path"), and everything lies in "/", but an upper directory may. The marks are
 * hard links: no call that Node lacks is on the way of a start.
 */
export function hideInUpper(upper: string, files: string, hidden: readonly string[]): void {
  const directories = parentsOf(hidden);
  for (const directory of directories) fs.mkdirSync(join(upper, directory));
  for (const path of hidden) fs.linkSync(join(files, path), join(upper, path));
  for (const directory of directories) likeBelow(join(upper, directory), join(files, directory));
}

/** Every directory on the way to the paths, outer ones first. */
function parentsOf(paths: readonly string[]): string[] {
  const directories = new Set<string>();
  for (const path of paths) for (let at = dirname(path); at !== "."; at = dirname(at)) directories.add(at);
  return [...directories].sort();
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
