import { closeSync, fstatSync, ftruncateSync, openSync, readSync, rmSync } from "node:fs";
import { codeOf } from "../../oci/error.ts";
import type { Resumed, StreamName } from "../launcher.ts";
import { messageEnd, parseEntry } from "./entry.ts";
import { textOf } from "./format.ts";
import { nextName, turnOver } from "./rotated.ts";

const NEWLINE = 10;
/** A message has at most 16 KiB, each byte escaped to six: an unfinished line is not longer. */
const MAX_RECORD = 256 * 1024;

interface File {
  readonly path: string;
  readonly descriptor: number;
  readonly inode: number;
  size: number;
}

/**
 * Makes the log whole after a crash: ends a rotation that had begun, cuts off a torn last line, and finds out how
 * many of the bytes that came after each noted position are in the files already. The same bytes always make the
 * same messages, so it is enough to make them again and to compare.
 */
export function resumeLog(path: string, maxFile: number, streams: readonly Resumed[]): number[] {
  const rotating = streams.some(({ inode }) => inode !== 0 && inode === inodeOf(nextName(path)));
  if (!rotating) rmSync(nextName(path), { force: true });
  const names = Array.from({ length: maxFile }, (_, age) => (age === 0 ? path : `${path}.${age}`)).reverse();
  const files = [...names, ...(rotating ? [nextName(path)] : [])].flatMap((name) => openFile(name));
  try {
    const last = files.findLast(({ size }) => size > 0);
    if (last) cutTorn(last);
    const got = streams.map((stream) => match(stream.bytes, messagesAfter(files, stream)));
    if (rotating) turnOver(path, maxFile);
    return got;
  } finally {
    for (const { descriptor } of files) closeSync(descriptor);
  }
}

function openFile(path: string): File[] {
  try {
    const descriptor = openSync(path, "r+");
    const { ino, size } = fstatSync(descriptor);
    return [{ path, descriptor, inode: ino, size }];
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

function inodeOf(path: string): number | null {
  const [file] = openFile(path);
  if (!file) return null;
  closeSync(file.descriptor);
  return file.inode;
}

function readAt({ descriptor, size }: File, offset: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, size - offset));
  let length = 0;
  while (length < bytes.length) {
    const read = readSync(descriptor, bytes, length, bytes.length - length, offset + length);
    if (read === 0) break;
    length += read;
  }
  return bytes.subarray(0, length);
}

/** A write that was cut short by the crash. */
function cutTorn(file: File): void {
  const start = Math.max(0, file.size - MAX_RECORD);
  const end = readAt(file, start).lastIndexOf(NEWLINE) + 1;
  if (start + end === file.size || (end === 0 && start > 0)) return;
  file.size = start + end;
  ftruncateSync(file.descriptor, file.size);
}

/** What a stream has in the files after a position. Nothing where that is not to be found any more. */
function messagesAfter(files: readonly File[], position: Resumed): readonly string[] {
  const first = files.findIndex(({ inode, size }) => inode === position.inode && size >= position.size);
  if (first < 0) return [];
  return files
    .slice(first)
    .flatMap((file, index) => messagesIn(readAt(file, index === 0 ? position.size : 0), position.stream));
}

function messagesIn(bytes: Buffer, stream: StreamName): readonly string[] {
  return bytes
    .toString()
    .split("\n")
    .flatMap((line) => {
      const entry = line === "" ? null : parseEntry(line);
      return entry?.stream === stream ? [entry.log] : [];
    });
}

/** How many of `bytes` are in `messages`. */
function match(bytes: Uint8Array, messages: readonly string[]): number {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (const message of messages) {
    // The last one is without a newline where the container had ended.
    const end = messageEnd(all, at) ?? all.length;
    if (textOf(all.subarray(at, end)) !== message) break;
    at = end;
  }
  return at;
}
