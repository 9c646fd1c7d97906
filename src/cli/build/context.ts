import { existsSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import { type Ignore, parseIgnore } from "../../oci/ignore.ts";
import { pack, streamOf } from "../copy/pack.ts";
import { encodeHeader, endOfArchive, PLAIN, padding, toByteText } from "../copy/tar.ts";
import { Failure } from "../failure.ts";
import { inputStream, readInput } from "../session/input.ts";
import { ignoreRegExp } from "./pattern.ts";

/** What is sent to the engine, and where its Dockerfile is in it. */
export interface BuildContext {
  readonly tar: ReadableStream<Uint8Array>;
  readonly dockerfile: string;
}

/** Name under which a Dockerfile from elsewhere travels; nobody's own file is called so. */
const OUTSIDE = ".cais.dockerfile";

/**
 * The context of a build: a directory without what `.dockerignore` names, or (`-`) an archive or a lone
 * Dockerfile on standard input.
 * @throws Failure where there is no such directory or no Dockerfile
 */
export async function buildContext(path: string, file: string | undefined): Promise<BuildContext> {
  if (path === "-") return fromInput(file);
  if (/^(?:https?|git):\/\//.test(path))
    throw new Failure(
      `Cannot build from ${path}: only directories and archives on standard input can be built. Fetch it first`,
    );
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new Failure(`unable to prepare context: path ${JSON.stringify(path)} not found`);
  const root = resolve(path);
  if (file === "-") return withOutside(root, await readAll());
  const where =
    file === undefined
      ? join(root, "Dockerfile")
      : isAbsolute(file)
        ? file
        : firstOf(resolve(file), join(root, file));
  if (!existsSync(where))
    throw new Failure(
      `unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat ${where}: no such file or directory`,
    );
  const inside = relative(root, where);
  if (inside.startsWith("..")) return withOutside(root, readFileSync(where));
  return { tar: streamOf(packContext(root, [inside, ".dockerignore"])), dockerfile: inside };
}

function firstOf(...paths: readonly string[]): string {
  return paths.find((path) => existsSync(path)) ?? paths[0] ?? "";
}

/** The Dockerfile and the ignore file always travel: the engine needs them, `ADD` then does not see them. */
function packContext(root: string, always: readonly string[]): AsyncGenerator<Uint8Array> {
  const ignore = readIgnore(root);
  return pack(root, {
    name: "",
    asRoot: true,
    exclude(path, directory) {
      if (always.includes(path) || !ignore.excluded(path)) return "keep";
      const needed = always.some((one) => one.startsWith(`${path}/`));
      return directory && !ignore.hasExceptions && !needed ? "prune" : "skip";
    },
  });
}

function readIgnore(root: string): Ignore {
  const file = join(root, ".dockerignore");
  return parseIgnore(existsSync(file) ? readFileSync(file, "utf8") : "", ignoreRegExp);
}

function withOutside(root: string, dockerfile: Uint8Array): BuildContext {
  async function* all() {
    yield* dockerfileEntry(OUTSIDE, dockerfile);
    yield* packContext(root, [".dockerignore"]);
  }
  return { tar: streamOf(all()), dockerfile: OUTSIDE };
}

function* dockerfileEntry(name: string, bytes: Uint8Array): Generator<Uint8Array> {
  yield encodeHeader({ ...PLAIN, name: toByteText(name), size: bytes.length });
  yield bytes;
  yield padding(bytes.length);
}

/** An archive is passed on as it is; anything else is a Dockerfile without a context. */
async function fromInput(file: string | undefined): Promise<BuildContext> {
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length < 512) {
    const chunk = await readInput();
    if (chunk === null) break;
    parts.push(chunk);
    length += chunk.length;
  }
  const first = Buffer.concat(parts);
  if (first.length === 0)
    throw new Failure("unable to prepare context: failed to peek context header from STDIN: EOF");
  if (isArchive(first)) {
    async function* all() {
      yield first;
      for (let chunk = await readInput(); chunk !== null; chunk = await readInput()) yield chunk;
    }
    return { tar: streamOf(all()), dockerfile: file ?? "Dockerfile" };
  }
  const text = Buffer.concat([first, await readAll()]);
  async function* lone() {
    yield* dockerfileEntry("Dockerfile", text);
    yield endOfArchive();
  }
  return { tar: streamOf(lone()), dockerfile: "Dockerfile" };
}

/** tar by the magic in its first header, or one of the compressions that engines take. */
function isArchive(first: Buffer): boolean {
  const starts = (...bytes: readonly number[]) => bytes.every((byte, i) => first[i] === byte);
  return (
    first.toString("latin1", 257, 262) === "ustar" ||
    starts(0x1f, 0x8b) ||
    starts(0x42, 0x5a, 0x68) ||
    starts(0xfd, 0x37, 0x7a, 0x58, 0x5a) ||
    starts(0x28, 0xb5, 0x2f, 0xfd)
  );
}

async function readAll(): Promise<Uint8Array> {
  return new Uint8Array(await new Response(inputStream()).arrayBuffer());
}
