import { join } from "node:path";

/**
 * A file name or other text of an archive, whose bytes need not be UTF-8: each character of the string is one
 * byte (latin1). It can be a key of a map, and nothing is lost on the way to the disk.
 */
export type ByteText = string & { readonly __brand: "ByteText" };

export type EntryType = "file" | "directory" | "symlink" | "hardlink" | "char" | "block" | "fifo";

/** One entry of an archive, whatever format its header had. */
export interface EntryHeader {
  readonly type: EntryType;
  /** As in the archive: nothing is normalised or checked. */
  readonly name: ByteText;
  /** Target of a symbolic link, name of the entry a hard link repeats; empty otherwise. */
  readonly link: ByteText;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, with a fraction. */
  readonly mtime: number;
  /** Size of the file once unpacked. */
  readonly size: number;
  readonly major: number;
  readonly minor: number;
  /** Extended attributes by name; values as bytes. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** A stretch of data in a sparse file. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

const beyondAscii = /[\u0080-\uffff]/;

/** Text as it is in memory → as bytes. */
export function toByteText(text: string): ByteText {
  return (beyondAscii.test(text) ? Buffer.from(text, "utf8").toString("latin1") : text) as ByteText;
}

/** As `join` of `node:path`: neither a slash nor a dot is part of another character, in whatever encoding a name is. */
export const joined = (...parts: readonly ByteText[]): ByteText => join(...parts) as ByteText;

/** Bytes → text that keeps each of them. */
export function byteText(bytes: Uint8Array): ByteText {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1") as ByteText;
}

/** For people and for JSON: read as UTF-8. */
export function readable(text: string): string {
  return beyondAscii.test(text) ? Buffer.from(text, "latin1").toString("utf8") : text;
}

/** What `node:fs` takes as a path; plain strings are faster, so bytes only where needed. */
export function fsPath(text: string): string | Buffer {
  return beyondAscii.test(text) ? Buffer.from(text, "latin1") : text;
}
