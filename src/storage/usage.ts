import * as fs from "node:fs";
import { breather } from "../image/tar/breathe.ts";
import { lstat } from "../image/tar/directories.ts";
import { byteText, fsPath, toByteText } from "../image/tar/entry.ts";
import { codeOf } from "../oci/error.ts";

/** Bytes of the files and links below a directory, hard links once. Files that vanish meanwhile do not count. */
export async function usageOf(directory: string): Promise<number> {
  const breathe = breather();
  const seen = new Set<number>();
  const todo: string[] = [toByteText(directory)];
  let size = 0;
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for (const name of namesIn(at)) {
      const path = `${at}/${name}`;
      const stat = lstat(path);
      if (stat === undefined) continue;
      if (stat.isDirectory()) todo.push(path);
      else if ((stat.isFile() || stat.isSymbolicLink()) && (stat.nlink === 1 || !seen.has(stat.ino))) {
        if (stat.nlink > 1) seen.add(stat.ino);
        size += stat.size;
      }
    }
    await breathe();
  }
  return size;
}

/** Names in a directory as bytes, sorted; none when it has vanished. */
export function namesIn(directory: string): string[] {
  try {
    const names = fs.readdirSync(fsPath(directory), { encoding: "buffer" });
    return names.map((name) => byteText(name)).sort();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}
