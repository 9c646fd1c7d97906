import { existsSync, lstatSync, readlinkSync, statSync } from "node:fs";
import { dirname, posix, resolve } from "node:path";
import { getArchive, statPath } from "../../client/archive.ts";
import type { Engine } from "../../client/request.ts";
import type { Source } from "../../client/stream.ts";
import { Failure } from "../failure.ts";
import { humanSize } from "../format/human.ts";
import { err, pour } from "../output.ts";
import { isTerminal } from "../session/terminal.ts";
import { extract } from "./extract.ts";
import { placement, saysContents, saysDirectory } from "./path.ts";

export interface CopyOutOptions {
  readonly followLink: boolean;
  readonly quiet: boolean;
}

const DIRECTORY = 2 ** 31;
const SYMLINK = 2 ** 27;
const has = (mode: number, bit: number) => Math.floor(mode / bit) % 2 === 1;

/** Copies a file or a tree out of a container, or (`-`) its archive to standard output. @throws Failure */
export async function copyOut(
  engine: Engine,
  id: string,
  from: string,
  to: string,
  it: CopyOutOptions,
): Promise<void> {
  const path = await followed(engine, id, posix.isAbsolute(from) ? from : `/${from}`, it.followLink);
  if (to === "-" && isTerminal(1))
    throw new Failure("cowardly refusing to copy to a terminal. Redirect the output");
  const { response, stat } = await getArchive(engine, id, path);
  const read = response.next;
  if (to === "-") {
    for (let chunk = await read(); chunk !== null; chunk = await read()) await pour(1, chunk);
    return;
  }
  const source = { path: from.replace(/^(?!\/)/, "/"), directory: has(stat.mode, DIRECTORY) };
  const end = saysDirectory(to) ? to : linkEnd(to);
  const exists = existsSync(end);
  const target = { path: end, exists, directory: exists && statSync(end).isDirectory() };
  const place = (() => {
    try {
      return placement({ source, target });
    } catch (error) {
      throw new Failure((error as Error).message);
    }
  })();
  if (!existsSync(place.directory))
    throw new Failure(`invalid output path: directory ${JSON.stringify(place.directory)} does not exist`);
  // The archive's first name is the source's own ("." for its contents); what it becomes was decided above.
  const name = saysContents(from) && place.name === "" ? "" : place.name === "/" ? "" : place.name;
  const bytes = await extract(chunks(read), place.directory, name);
  if (!it.quiet && isTerminal(2)) err(`Successfully copied ${humanSize(bytes, 4)} to ${to}\n`);
}

/** As many links as Docker follows. */
const LINKS = 10;

/** Where a link of this machine leads, be it there or not: the copy goes there, and the link stays. */
function linkEnd(path: string): string {
  let at = path;
  for (let links = 0; links < LINKS; links++) {
    if (!lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink()) break;
    at = resolve(dirname(at), readlinkSync(at));
  }
  return at;
}

/** With `-L`, where a link leads; the name of the copy stays the link's. */
async function followed(engine: Engine, id: string, path: string, follow: boolean): Promise<string> {
  if (!follow) return path;
  const stat = await statPath(engine, id, path);
  if (!has(stat.mode, SYMLINK)) return path;
  return posix.isAbsolute(stat.linkTarget)
    ? stat.linkTarget
    : posix.join(posix.dirname(path), stat.linkTarget);
}

async function* chunks(read: Source): AsyncGenerator<Uint8Array> {
  for (let chunk = await read(); chunk !== null; chunk = await read()) yield chunk;
}
