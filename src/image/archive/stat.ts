import * as fs from "node:fs";
import type { PathStat } from "../../wire/lifecycle.ts";
import { openRoot, through } from "../tar/beneath.ts";
import { type ByteText, byteText, readable } from "../tar/entry.ts";
import { statIn } from "../tar/walk.ts";
import { notFound, partsOf, resolveDirectory } from "./resolve.ts";

/** A path found beneath a root; the caller closes `parent`. */
export interface Located {
  /** The directory that holds it. */
  readonly parent: number;
  readonly parts: readonly ByteText[];
  /** "." is the directory `parent` itself. */
  readonly name: ByteText;
  readonly stat: fs.Stats;
}

/** Go's mode bits (io/fs, FileMode). */
const GO = { dir: 2 ** 31, symlink: 2 ** 27, device: 2 ** 26, fifo: 2 ** 25, socket: 2 ** 24 } as const;
const GO_SETUID = 2 ** 23;
const GO_SETGID = 2 ** 22;
const GO_CHAR = 2 ** 21;
const GO_STICKY = 2 ** 20;

/** Finds a path as Docker does: links on the way are followed, the last component only when "/" or "/." follows it. */
export function locate(root: number, path: string): Located {
  const parts = partsOf(path);
  const last = parts.at(-1);
  if (last === undefined || last === "." || last === ".." || path.endsWith("/")) {
    const { fd, parts: resolved } = resolveDirectory(root, parts);
    return { parent: fd, parts: resolved, name: "." as ByteText, stat: fs.fstatSync(fd) };
  }
  const { fd, parts: resolved } = resolveDirectory(root, parts.slice(0, -1));
  const stat = statIn(fd, last);
  if (stat === undefined) {
    fs.closeSync(fd);
    throw notFound(parts);
  }
  return { parent: fd, parts: resolved, name: last, stat };
}

/** `HEAD /containers/{id}/archive`. `root` is a path such as `/proc/<pid>/root`. */
export function statPath(root: string, path: string): PathStat {
  const rootFd = openRoot(root);
  try {
    const located = locate(rootFd, path);
    try {
      return pathStat(rootFd, located, path);
    } finally {
      fs.closeSync(located.parent);
    }
  } finally {
    fs.closeSync(rootFd);
  }
}

/** What the header says of a path that was found; `path` is what was asked for. */
export function pathStat(root: number, { parent, parts, name, stat }: Located, path: string): PathStat {
  const link = stat.isSymbolicLink()
    ? byteText(fs.readlinkSync(through(parent, name), { encoding: "buffer" }))
    : "";
  return {
    name: partsOf(path).at(-1) === undefined ? "/" : readable(partsOf(path).at(-1)!),
    size: stat.size,
    mode: goMode(stat),
    mtime: stat.mtime.toISOString(),
    linkTarget: link === "" ? "" : readable(targetOf(root, parts, link as ByteText)),
  };
}

/** Where a link leads, resolved as far as it can be. */
function targetOf(root: number, parts: readonly ByteText[], link: ByteText): string {
  const whole = (link.startsWith("/") ? link.split("/") : [...parts, ...link.split("/")]) as ByteText[];
  const clean: ByteText[] = [];
  for (const part of whole) {
    if (part === "..") clean.pop();
    else if (part !== "" && part !== ".") clean.push(part);
  }
  try {
    const { fd, parts: resolved } = resolveDirectory(root, clean.slice(0, -1));
    fs.closeSync(fd);
    return `/${[...resolved, ...clean.slice(-1)].join("/")}`;
  } catch {
    return `/${clean.join("/")}`;
  }
}

function goMode(stat: fs.Stats): number {
  let mode = stat.mode & 0o777;
  if ((stat.mode & 0o4000) !== 0) mode += GO_SETUID;
  if ((stat.mode & 0o2000) !== 0) mode += GO_SETGID;
  if ((stat.mode & 0o1000) !== 0) mode += GO_STICKY;
  if (stat.isDirectory()) mode += GO.dir;
  else if (stat.isSymbolicLink()) mode += GO.symlink;
  else if (stat.isFIFO()) mode += GO.fifo;
  else if (stat.isSocket()) mode += GO.socket;
  else if (stat.isBlockDevice()) mode += GO.device;
  else if (stat.isCharacterDevice()) mode += GO.device + GO_CHAR;
  return mode;
}
