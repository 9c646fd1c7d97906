import * as fs from "node:fs";
import { Refusal } from "../../oci/error.ts";
import { type DirectoryStack, directoryStack, through } from "./beneath.ts";
import { breather } from "./breathe.ts";
import { type ByteText, byteText, readable } from "./entry.ts";
import { isGone } from "./gone.ts";

/** One directory of a tree and the names in it, sorted. */
export interface Listing {
  /** Components beneath the root; none for the root itself. */
  readonly parts: readonly ByteText[];
  readonly names: readonly ByteText[];
}

/** Deeper trees would need more descriptors than there are; paths of the kernel end long before. */
const DEPTH_MAX = 512;

/**
 * Lists a tree, directories before what is in them. `enter` decides whether a directory is looked into. `only`
 * takes one name of the root. What vanishes meanwhile is left out.
 */
export async function listTree(
  root: number,
  enter: (path: string, stat: fs.Stats) => boolean = () => true,
  only?: ByteText,
): Promise<Listing[]> {
  const breathe = breather();
  const stack = directoryStack(root);
  const listings: Listing[] = [];
  const todo: ByteText[][] = [[]];
  try {
    for (let parts = todo.pop(); parts !== undefined; parts = todo.pop()) {
      if (parts.length > DEPTH_MAX) {
        throw new Refusal(
          "invalid",
          `Cannot read ${readable(parts.slice(0, 3).join("/"))}/…: it is nested too deeply`,
        );
      }
      const listing = list(stack, parts, parts.length === 0 ? only : undefined);
      if (listing === undefined) continue;
      listings.push(listing.listing);
      for (const [name, stat] of listing.directories.reverse()) {
        if (enter([...parts, name].join("/"), stat)) todo.push([...parts, name]);
      }
      await breathe();
    }
  } finally {
    stack.close();
  }
  return listings;
}

function list(
  stack: DirectoryStack,
  parts: readonly ByteText[],
  only?: ByteText,
): { listing: Listing; directories: [ByteText, fs.Stats][] } | undefined {
  try {
    const directory = stack.at(parts);
    const names = fs
      .readdirSync(through(directory, "."), { encoding: "buffer" })
      .map(byteText)
      .filter((name) => only === undefined || name === only)
      .sort();
    const directories: [ByteText, fs.Stats][] = [];
    for (const name of names) {
      const stat = statIn(directory, name);
      if (stat?.isDirectory() === true) directories.push([name, stat]);
    }
    return { listing: { parts, names }, directories };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** `lstat` of a name in an open directory; undefined when it has vanished. */
export function statIn(directory: number, name: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(through(directory, name));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
