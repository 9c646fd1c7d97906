import * as fs from "node:fs";
import { posix } from "node:path";
import { partsOf, resolveDirectory } from "../../image/archive/resolve.ts";
import { openRoot, through } from "../../image/tar/beneath.ts";
import { byteText } from "../../image/tar/entry.ts";
import { statIn } from "../../image/tar/walk.ts";
import { type Elf, readElf } from "./elf.ts";

/** What is at the path of a program. */
export type Found =
  | { readonly kind: "missing" }
  | { readonly kind: "directory" }
  | {
      readonly kind: "file";
      readonly mode: number;
      readonly size: number;
      readonly elf?: Elf;
      readonly script?: string;
    };

/** Where loaders and first lines are; what lies further is not looked for. */
const HEAD = 64 * 1024;
const LINKS_MAX = 40;

/**
 * Look at a program as a process with this root would find it; links stay inside of it, whoever changes it
 * meanwhile. Never throws: what cannot be looked at is missing.
 * @param root path of the tree's root, such as `/proc/PID/root`
 */
export function inspectProgram(root: string, path: string): Found {
  const rootFd = openRoot(root);
  try {
    return inspect(rootFd, path, 0);
  } catch {
    return { kind: "missing" };
  } finally {
    fs.closeSync(rootFd);
  }
}

function inspect(root: number, path: string, links: number): Found {
  const parts = partsOf(path);
  const name = parts.pop();
  if (name === undefined || name === "." || name === "..") return { kind: "directory" };
  const { fd, parts: at } = resolveDirectory(root, parts);
  try {
    const stat = statIn(fd, name);
    if (stat === undefined || links > LINKS_MAX) return { kind: "missing" };
    if (stat.isDirectory()) return { kind: "directory" };
    if (stat.isSymbolicLink()) {
      const target = byteText(fs.readlinkSync(through(fd, name), { encoding: "buffer" }));
      return inspect(root, posix.resolve("/", ...at, target), links + 1);
    }
    if (!stat.isFile()) return { kind: "file", mode: stat.mode, size: 0 };
    return { kind: "file", mode: stat.mode, size: stat.size, ...contents(through(fd, name)) };
  } finally {
    fs.closeSync(fd);
  }
}

function contents(path: string | Buffer): { readonly elf?: Elf; readonly script?: string } {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(HEAD);
    const head = buffer.subarray(0, fs.readSync(fd, buffer, 0, HEAD, 0));
    const elf = readElf(head);
    if (elf !== undefined) return { elf };
    // The kernel reads 256 bytes of the first line (BINPRM_BUF_SIZE).
    const script = /^#![ \t]*([^ \t\n]+)/.exec(head.toString("utf8", 0, 256))?.[1];
    return script === undefined ? {} : { script };
  } finally {
    fs.closeSync(fd);
  }
}
