import * as fs from "node:fs";
import { O } from "../../kernel/flags.ts";
import { fsPath } from "./entry.ts";

const { O_DIRECTORY, O_NOFOLLOW } = fs.constants;

/** Where a descriptor of a directory leads: paths through it cannot be redirected by whoever owns the tree. */
export function through(directory: number, name: string): string | Buffer {
  return fsPath(name === "" ? `/proc/self/fd/${directory}` : `/proc/self/fd/${directory}/${name}`);
}

/** Opens a directory for walking beneath it. Links in `path` itself are followed: it is the caller's own. */
export function openRoot(path: string): number {
  return fs.openSync(path, O.PATH | O_DIRECTORY);
}

/**
 * Opens one directory in another without ever following a link, so that a process that renames things in the
 * tree meanwhile can make this fail but not make it leave the tree.
 */
export function openDirectory(parent: number, name: string): number {
  return fs.openSync(through(parent, name), O.PATH | O_DIRECTORY | O_NOFOLLOW);
}

/** Directories beneath a root, opened as a walk moves from one to the next. */
export interface DirectoryStack {
  /** Descriptor of the directory with these components, valid until the next call. */
  at(parts: readonly string[]): number;
  close(): void;
}

/** Keeps the way from `root` (a descriptor) to the current directory open. */
export function directoryStack(root: number): DirectoryStack {
  const names: string[] = [];
  const open: number[] = [];
  const cut = (depth: number): void => {
    while (open.length > depth) {
      fs.closeSync(open.pop()!);
      names.pop();
    }
  };
  return {
    at(parts) {
      let common = 0;
      while (common < names.length && names[common] === parts[common]) common++;
      cut(common);
      for (const part of parts.slice(common)) {
        open.push(openDirectory(open.at(-1) ?? root, part));
        names.push(part);
      }
      return open.at(-1) ?? root;
    },
    close: () => cut(0),
  };
}
