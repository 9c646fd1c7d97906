import { closeSync, mkdtempSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Answer } from "../client/http.ts";
import { Failure } from "./failure.ts";
import { pour } from "./output.ts";
import { isTerminal } from "./session/terminal.ts";

/**
 * Writes an archive to standard output, or to a file that appears only when it is complete.
 * @throws Failure where a terminal would get the archive, or the file cannot be there
 */
export async function saveStream(path: string | undefined, ask: () => Promise<Answer>): Promise<number> {
  if (path === undefined) {
    if (isTerminal(1))
      throw new Failure("cowardly refusing to save to a terminal. Use the -o flag or redirect");
    const read = (await ask()).next;
    for (let chunk = await read(); chunk !== null; chunk = await read()) await pour(1, chunk);
    return 0;
  }
  const directory = claim(path);
  const partial = join(directory, basename(path));
  try {
    const read = (await ask()).next;
    const fd = openSync(partial, "wx", 0o600);
    try {
      for (let chunk = await read(); chunk !== null; chunk = await read())
        for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
    } finally {
      closeSync(fd);
    }
    renameSync(partial, path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return 0;
}

/** A directory beside the file, so that the rename stays on one file system. */
function claim(path: string): string {
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind && !kind.isFile())
    throw new Failure(
      `failed to write to ${path}: ${kind.isDirectory() ? "it is a directory" : "it is no regular file"}`,
    );
  try {
    return mkdtempSync(join(dirname(path), `.cais-${basename(path)}-`));
  } catch {
    throw new Failure(
      `failed to write to ${path}: the directory ${dirname(path)} does not exist or is not writable`,
    );
  }
}
