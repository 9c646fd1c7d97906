import * as fs from "node:fs";
import { join, posix } from "node:path";
import { type ByteText, byteText, fsPath, readable, toByteText } from "../image/tar/entry.ts";
import { Refusal } from "../oci/error.ts";
import { deepGlob } from "../oci/glob.ts";
import { parseIgnore } from "../oci/ignore.ts";

/** A path of the context, found: links are followed, as in Docker, but never out of the context. */
export interface Found {
  readonly file: string;
  readonly stat: fs.Stats;
}

/** More links than this on one way lead nowhere (MAXSYMLINKS of the kernel). */
const LINKS_MAX = 40;

/** What a path of the context is in the end; the directory is ours alone, and the root for its links. */
export function leadsTo(context: string, path: string): Found | undefined {
  const todo = toByteText(path).split("/");
  let at = toByteText(context) as string;
  const way = [at];
  for (let links = 0; todo.length > 0; ) {
    const part = todo.shift()!;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (way.length > 1) way.pop();
      at = way.at(-1)!;
      continue;
    }
    const next = `${at}/${part}`;
    const stat = fs.lstatSync(fsPath(next), { throwIfNoEntry: false });
    if (stat === undefined || (todo.length > 0 && !stat.isDirectory() && !stat.isSymbolicLink()))
      return undefined;
    if (stat.isSymbolicLink()) {
      if (++links > LINKS_MAX) return undefined;
      const link = byteText(fs.readlinkSync(fsPath(next), { encoding: "buffer" }));
      if (link.startsWith("/")) way.length = 1;
      todo.unshift(...link.split("/"));
    } else way.push(next);
    at = way.at(-1)!;
  }
  return { file: readable(at as ByteText), stat: fs.lstatSync(fsPath(at)) };
}

/** More than this is no list of patterns that a person wrote. */
const IGNORE_MAX = 1024 * 1024;

/**
 * The Dockerfile, wherever links of the context lead to. Where none is named, `dockerfile` will do.
 * @returns its text, and its path in the context
 */
export function readDockerfile(
  context: string,
  asked?: string,
): { readonly name: string; readonly text: string } {
  for (const name of asked === undefined ? ["Dockerfile", "dockerfile"] : [asked]) {
    const found = leadsTo(context, name);
    if (found?.stat.isFile()) return { name, text: fs.readFileSync(found.file, "utf8") };
  }
  throw new Refusal("invalid", `Cannot locate specified Dockerfile: ${asked ?? "Dockerfile"}`);
}

/**
 * Clients send the Dockerfile and `.dockerignore` always, since the engine needs them; where the latter names one of
 * them it is not there for ADD and COPY. What else it names the client has left out.
 */
export function removeIgnored(context: string, dockerfile: string): void {
  const list = leadsTo(context, ".dockerignore");
  if (!list?.stat.isFile() || list.stat.size > IGNORE_MAX) return;
  let ignore: ReturnType<typeof parseIgnore>;
  try {
    ignore = parseIgnore(fs.readFileSync(list.file, "utf8"), deepGlob);
  } catch {
    // Patterns that are none hide nothing, as in Docker.
    return;
  }
  for (const name of [".dockerignore", posix.normalize(`/${dockerfile}`).slice(1)]) {
    if (!ignore.excluded(name)) continue;
    const directory = leadsTo(context, posix.dirname(name));
    if (directory !== undefined) fs.rmSync(join(directory.file, posix.basename(name)), { force: true });
  }
}
