import type { ByteText } from "./entry.ts";
import { badEntry } from "./error.ts";

/** Prefix of the name of an entry that hides another (OCI image spec, layer.md, "Whiteouts"). */
export const WHITEOUT = ".wh.";
/** Name of the entry that hides everything lower layers have in its directory. */
export const OPAQUE = ".wh..wh..opq";
/** Other names of this kind are the bookkeeping of AUFS. */
const METADATA = ".wh..wh.";

/** The hidden name, `OPAQUE`, or "metadata" for an entry that says nothing about files. */
export type Whiteout = ByteText | typeof OPAQUE | "metadata";

/** What an entry hides; undefined for an ordinary one. */
export function whiteoutOf(name: ByteText, parents: readonly string[], base: ByteText): Whiteout | undefined {
  if (parents.some((part) => part.startsWith(WHITEOUT))) {
    // AUFS keeps hard links in a directory of its own.
    if (parents.some((part) => part.startsWith(METADATA))) return "metadata";
    throw badEntry(name, "names that begin with .wh. are reserved for removed files");
  }
  if (!base.startsWith(WHITEOUT)) return undefined;
  if (base === OPAQUE) return OPAQUE;
  if (base.startsWith(METADATA)) return "metadata";
  const hidden = base.slice(WHITEOUT.length) as ByteText;
  if (hidden === "" || hidden === "." || hidden === "..") throw badEntry(name, "it hides no valid name");
  return hidden;
}
