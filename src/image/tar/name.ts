import type { ByteText } from "./entry.ts";
import { badEntry } from "./error.ts";

/**
 * The components of an entry's name, beneath the root of the layer. Refuses what points elsewhere: absolute
 * names and "..". "/" and "./" alone are the root itself.
 * @param absolute takes an absolute name as one beneath the root, as Docker does with archives that people send
 */
export function componentsOf(name: ByteText, absolute = false): ByteText[] {
  if (!absolute && name.startsWith("/") && !/^\/+$/.test(name)) {
    throw badEntry(name, "its name is absolute; names in a layer start below its root");
  }
  return split(name, name, "its name leads out of the archive (..)");
}

/** The same for what a hard link names. */
export function linkComponents(name: ByteText, link: ByteText): ByteText[] {
  if (link === "") throw badEntry(name, "it is a hard link to nothing");
  if (link.startsWith("/"))
    throw badEntry(name, "it is a hard link to an absolute path, outside of the layer");
  return split(name, link, "it is a hard link to a path outside of the layer (..)");
}

function split(name: ByteText, path: ByteText, refusal: string): ByteText[] {
  const parts: ByteText[] = [];
  for (const part of path.split("/") as ByteText[]) {
    if (part === "" || part === ".") continue;
    if (part === "..") throw badEntry(name, refusal);
    parts.push(part);
  }
  return parts;
}

/** Refuses a symbolic link whose relative target leads above the root, as Docker does. */
export function checkSymlink(name: ByteText, link: ByteText, parents: number): void {
  if (link === "") throw badEntry(name, "it is a symbolic link to nothing");
  if (link.startsWith("/")) return;
  let depth = parents;
  for (const part of link.split("/")) {
    if (part === "" || part === ".") continue;
    depth += part === ".." ? -1 : 1;
    if (depth < 0) throw badEntry(name, "it is a symbolic link that leads out of the layer");
  }
}
