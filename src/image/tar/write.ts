import type { ByteText, EntryHeader, EntryType } from "./entry.ts";
import { BLOCK } from "./header.ts";

const TYPE_FLAGS: Record<EntryType, string> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

const OCTAL_8 = 0o7777777;
const OCTAL_12 = 0o77777777777;

/**
 * The header blocks of an entry: ustar, preceded by a PAX header for what ustar cannot hold (long or non-ASCII
 * names, large numbers, fractions of seconds, extended attributes). The data and `padding(size)` follow.
 */
export function encodeHeader(entry: EntryHeader): Uint8Array {
  const name = entry.type === "directory" && !entry.name.endsWith("/") ? `${entry.name}/` : entry.name;
  const records: Uint8Array[] = [];
  const text = (key: string, value: string): void => {
    records.push(record(key, Buffer.from(value, "latin1")));
  };
  if (name.length > 100 || !isAscii(name)) text("path", name);
  if (entry.link.length > 100 || !isAscii(entry.link)) text("linkpath", entry.link);
  if (entry.size > OCTAL_12) text("size", String(entry.size));
  if (entry.uid > OCTAL_8) text("uid", String(entry.uid));
  if (entry.gid > OCTAL_8) text("gid", String(entry.gid));
  const seconds = Math.floor(entry.mtime);
  if (seconds !== entry.mtime || seconds < 0 || seconds > OCTAL_12) text("mtime", timeText(entry.mtime));
  for (const [key, value] of entry.xattrs) records.push(record(`SCHILY.xattr.${key}`, value));
  const header = block(entry, name, TYPE_FLAGS[entry.type], entry.size);
  if (records.length === 0) return header;
  const data = Buffer.concat(records);
  const pax = block({ ...PLAIN, name: entry.name }, `PaxHeaders.0/${name}`.slice(0, 100), "x", data.length);
  return Buffer.concat([pax, data, padding(data.length), header]);
}

/** Zeros that fill the last block of `size` bytes of data. */
export function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

/** The two zero blocks that end an archive. */
export function endOfArchive(): Uint8Array {
  return new Uint8Array(2 * BLOCK);
}

/** What headers that we make up (files of `save`) have in common. */
export const PLAIN: EntryHeader = {
  type: "file",
  name: "" as ByteText,
  link: "" as ByteText,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0,
  size: 0,
  major: 0,
  minor: 0,
  xattrs: new Map(),
};

function block(entry: EntryHeader, name: string, type: string, size: number): Uint8Array {
  const bytes = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, digits: number): void => {
    const fits = value >= 0 && value < 8 ** digits;
    bytes.write((fits ? value : 0).toString(8).padStart(digits, "0"), offset, "latin1");
  };
  bytes.write(name.slice(0, 100), 0, "latin1");
  octal(entry.mode, 100, 7);
  octal(entry.uid, 108, 7);
  octal(entry.gid, 116, 7);
  octal(size, 124, 11);
  octal(Math.floor(entry.mtime), 136, 11);
  bytes.fill(0x20, 148, 156);
  bytes.write(type, 156, "latin1");
  bytes.write(entry.link.slice(0, 100), 157, "latin1");
  bytes.write("ustar\x0000", 257, "latin1");
  if (entry.type === "char" || entry.type === "block") {
    octal(entry.major, 329, 7);
    octal(entry.minor, 337, 7);
  }
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}

/** One record, whose length counts its own digits. */
function record(key: string, value: Uint8Array): Uint8Array {
  const rest = Buffer.byteLength(key, "latin1") + value.length + 3;
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return Buffer.concat([Buffer.from(`${length} ${key}=`, "latin1"), value, Buffer.from("\n")]);
}

function timeText(mtime: number): string {
  return mtime.toFixed(9).replace(/\.?0+$/, "");
}

function isAscii(text: string): boolean {
  return !/[\u0080-\uffff]/.test(text);
}
