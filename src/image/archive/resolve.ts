import * as fs from "node:fs";
import { O } from "../../kernel/flags.ts";
import { Refusal } from "../../oci/error.ts";
import { through } from "../tar/beneath.ts";
import { type ByteText, byteText, readable, toByteText } from "../tar/entry.ts";
import { statIn } from "../tar/walk.ts";

const { O_DIRECTORY, O_NOFOLLOW } = fs.constants;
const LINKS_MAX = 40;

/** A directory beneath a root, open, with its resolved components. */
export interface Resolved {
  readonly fd: number;
  readonly parts: readonly ByteText[];
}

/**
 * Opens a directory beneath `root` (a descriptor) as a process with that root would: links are followed inside of
 * it, ".." stops at it. Each component is opened without following by the kernel, so a hostile process that swaps
 * names meanwhile can make this fail but cannot lead it out. `missing` may make a directory that is not there.
 * The caller closes the descriptor.
 */
export function resolveDirectory(
  root: number,
  path: readonly ByteText[],
  missing?: (parent: number, name: ByteText, parts: readonly ByteText[]) => void,
): Resolved {
  const open: number[] = [fs.openSync(through(root, ""), O.PATH | O_DIRECTORY)];
  const parts: ByteText[] = [];
  const todo = [...path].reverse();
  let links = 0;
  try {
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        if (parts.pop() !== undefined) fs.closeSync(open.pop()!);
        continue;
      }
      const parent = open.at(-1)!;
      let stat = statIn(parent, part);
      if (stat === undefined && missing !== undefined) {
        missing(parent, part, parts);
        stat = statIn(parent, part);
      }
      if (stat === undefined) throw notFound(path);
      if (stat.isSymbolicLink()) {
        if (++links > LINKS_MAX)
          throw new Refusal("invalid", `Cannot follow ${shown(path)}: too many symbolic links`);
        const target = byteText(fs.readlinkSync(through(parent, part), { encoding: "buffer" }));
        if (target.startsWith("/")) {
          while (open.length > 1) fs.closeSync(open.pop()!);
          parts.length = 0;
        }
        todo.push(...(target.split("/").reverse() as ByteText[]));
        continue;
      }
      if (!stat.isDirectory()) {
        throw new Refusal("failed", `lstat ${shown(path)}: not a directory`);
      }
      open.push(fs.openSync(through(parent, part), O.PATH | O_DIRECTORY | O_NOFOLLOW));
      parts.push(part);
    }
    const fd = open.pop()!;
    return { fd, parts };
  } finally {
    for (const fd of open) fs.closeSync(fd);
  }
}

/** A path of the API as components. */
export function partsOf(path: string): ByteText[] {
  if (path.includes("\0")) throw new Refusal("invalid", "Cannot use a path with a NUL byte");
  return toByteText(path)
    .split("/")
    .filter((part) => part !== "") as ByteText[];
}

/** Docker's words for a path that is not there; who knows the container says which. */
export function notFound(path: readonly string[]): Refusal {
  return new Refusal("notFound", `Could not find the file ${shown(path)} in the container`);
}

function shown(path: readonly string[]): string {
  return readable(`/${path.join("/")}`);
}
