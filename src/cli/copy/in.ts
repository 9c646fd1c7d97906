import { lstatSync, statSync } from "node:fs";
import { posix } from "node:path";
import { putArchive, statPath } from "../../client/archive.ts";
import { EngineError } from "../../client/error.ts";
import type { Engine } from "../../client/request.ts";
import { Failure } from "../failure.ts";
import { humanSize } from "../format/human.ts";
import { err } from "../output.ts";
import { inputStream } from "../session/input.ts";
import { isTerminal } from "../session/terminal.ts";
import { pack, streamOf } from "./pack.ts";
import { type Ends, type Placement, placement, saysDirectory } from "./path.ts";

export interface CopyInOptions {
  readonly followLink: boolean;
  /** Keep owners and groups; otherwise everything becomes root's. */
  readonly archive: boolean;
  readonly quiet: boolean;
}

/** Copies a file, a tree or (`-`) an archive on standard input into a container. @throws Failure */
export async function copyIn(
  engine: Engine,
  id: string,
  from: string,
  to: string,
  it: CopyInOptions,
): Promise<void> {
  const target = await targetOf(engine, id, posix.isAbsolute(to) ? to : `/${to}`);
  if (from === "-") {
    if (!target.directory) throw new Failure(`destination "${id}:${to}" must be a directory`);
    await putArchive(engine, id, target.path, inputStream(), it.archive);
    return;
  }
  const source = { path: from, directory: isDirectory(from, it.followLink) };
  const place = decide(() => placement({ source, target }));
  // Without a name only the contents are packed, which is what the empty name says.
  const counted = { bytes: 0 };
  const tar = count(
    pack(from, { name: place.name, followLink: it.followLink || saysDirectory(from) }),
    counted,
  );
  await putArchive(engine, id, place.directory, streamOf(tar), it.archive);
  if (!it.quiet && isTerminal(2)) err(`Successfully copied ${humanSize(counted.bytes, 4)} to ${id}:${to}\n`);
}

function decide(rule: () => Placement): Placement {
  try {
    return rule();
  } catch (error) {
    throw new Failure((error as Error).message);
  }
}

function isDirectory(path: string, follow: boolean): boolean {
  try {
    return (follow || saysDirectory(path) ? statSync(path) : lstatSync(path)).isDirectory();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === "ENOENT" ? "no such file or directory" : code === "ENOTDIR" ? "not a directory" : code;
    throw new Failure(`lstat ${path}: ${why}`);
  }
}

/** Bits of Go's `os.FileMode`. */
const DIRECTORY = 2 ** 31;
const SYMLINK = 2 ** 27;
const has = (mode: number, bit: number) => Math.floor(mode / bit) % 2 === 1;

/**
 * What is at the destination; a link there is followed once, as Docker does, the engine follows the rest. What a link
 * leads to need not be there: the link stays, and that is made.
 */
async function targetOf(engine: Engine, id: string, path: string, follow = true): Promise<Ends["target"]> {
  try {
    const stat = await statPath(engine, id, path);
    if (!follow || !has(stat.mode, SYMLINK))
      return { path, exists: true, directory: has(stat.mode, DIRECTORY) };
    const linked = posix.isAbsolute(stat.linkTarget)
      ? stat.linkTarget
      : posix.join(posix.dirname(path), stat.linkTarget);
    return await targetOf(engine, id, linked, false);
  } catch (error) {
    // Without a body a HEAD cannot say what is wrong with the container or the path: the upload will.
    if (error instanceof EngineError) return { path, exists: false, directory: false };
    throw error;
  }
}

async function* count(
  chunks: AsyncGenerator<Uint8Array>,
  into: { bytes: number },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    into.bytes += chunk.length;
    yield chunk;
  }
}
