import { readSync } from "node:fs";
import { type Entry, parseEntry } from "./entry.ts";

/** Reads one log file from an offset on, a block at a time. */
export interface Records {
  /** The entries of the next block, maybe none; null at the end of what is written now. */
  next(): Entry[] | null;
}

const BLOCK = 64 * 1024;
const NEWLINE = 10;
/** Longer than any line that a writer makes (16 KiB, each byte escaped to six): such a line is damage. */
const MAX_RECORD = 256 * 1024;

/**
 * @param end stop at this offset, although more may be written
 */
export function records(descriptor: number, offset: number, end = Number.POSITIVE_INFINITY): Records {
  let at = offset;
  let rest: Buffer | null = null;
  return {
    next() {
      const wanted = Math.min(BLOCK, end - at);
      if (wanted <= 0) return null;
      const block = Buffer.allocUnsafe(wanted);
      const length = readSync(descriptor, block, 0, wanted, at);
      if (length === 0) return null;
      at += length;
      let bytes = block.subarray(0, length);
      if (rest) bytes = Buffer.concat([rest, bytes]);
      const last = bytes.lastIndexOf(NEWLINE);
      const open = bytes.subarray(last + 1);
      rest = open.length > 0 && open.length < MAX_RECORD ? open : null;
      if (last < 0) return [];
      const entries: Entry[] = [];
      for (const line of bytes.toString("utf8", 0, last).split("\n")) {
        const entry = parseEntry(line);
        if (entry) entries.push(entry);
      }
      return entries;
    },
  };
}
