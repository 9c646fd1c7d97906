import * as fs from "node:fs";
import { codeOf } from "../../oci/error.ts";
import { type ByteText, byteText, fsPath, readable } from "./entry.ts";
import { badEntry } from "./error.ts";

/** Mode and owner that a directory gets when the archive has entries in it but none for itself. */
export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Finds (and makes) the directories of a layer, following links of the layer inside the layer only. */
export interface Directories {
  /** Absolute path of the directory that `parents` names, made where it is missing. */
  ensure(parents: readonly ByteText[], entry: ByteText): string;
  /** The same without making anything; undefined when it is missing. */
  find(parents: readonly ByteText[], entry: ByteText): string | undefined;
  /** To be called when something that may be a directory or a link to one was removed. */
  forget(): void;
}

const LINKS_MAX = 40;
export const DEFAULT: Attributes = { mode: 0o755, uid: 0, gid: 0 };

/** `root` is a directory nobody else writes to; `inherit` knows directories of the layers below. */
export function directoriesOf(root: string, inherit?: (path: string) => Attributes | undefined): Directories {
  const known = new Map<string, string>();

  function walk(parents: readonly ByteText[], entry: ByteText, make: boolean): string | undefined {
    const key = parents.join("/");
    const cached = known.get(key);
    if (cached !== undefined) return cached;
    const todo = [...parents].reverse();
    const at: ByteText[] = [];
    let links = 0;
    while (todo.length > 0) {
      const part = todo.pop()!;
      if (part === "" || part === ".") continue;
      if (part === "..") {
        if (at.pop() === undefined)
          throw badEntry(entry, `its path leads out of the layer, through a symbolic link`);
        continue;
      }
      const path = [root, ...at, part].join("/");
      const stat = lstat(path);
      if (stat === undefined) {
        if (!make) return undefined;
        fs.mkdirSync(fsPath(path));
        setDirectory(path, inherit?.([...at, part].join("/")) ?? DEFAULT);
      } else if (stat.isSymbolicLink()) {
        if (++links > LINKS_MAX) throw badEntry(entry, "its path goes through too many symbolic links");
        const target = byteText(fs.readlinkSync(fsPath(path), { encoding: "buffer" }));
        if (target.startsWith("/")) at.length = 0;
        todo.push(...(target.split("/").reverse() as ByteText[]));
        continue;
      } else if (!stat.isDirectory()) {
        throw badEntry(entry, `its parent ${readable([...at, part].join("/"))} is not a directory`);
      }
      at.push(part);
    }
    const path = [root, ...at].join("/");
    known.set(key, path);
    return path;
  }
  return {
    ensure: (parents, entry) => walk(parents, entry, true)!,
    find: (parents, entry) => walk(parents, entry, false),
    forget: () => known.clear(),
  };
}

/** Sets owner and mode of a directory, and of nothing else should it be replaced meanwhile. */
export function setDirectory(path: string, { mode, uid, gid }: Attributes): void {
  withDirectory(path, (directory) => {
    fs.fchownSync(directory, uid, gid);
    fs.fchmodSync(directory, mode & 0o7777);
  });
}

/** Opens a directory, and nothing else that may be there by now, for one use. */
export function withDirectory(path: string, use: (directory: number) => void): void {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants;
  const directory = fs.openSync(fsPath(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    use(directory);
  } finally {
    fs.closeSync(directory);
  }
}

/** `lstat` that answers undefined for what is not there. */
export function lstat(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(fsPath(path));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
