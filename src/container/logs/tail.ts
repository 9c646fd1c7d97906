import { fstatSync, readSync } from "node:fs";

const BLOCK = 64 * 1024;
const NEWLINE = 10;

/**
 * Where the last `count` lines of an open file begin, reading backwards in blocks.
 * @returns the offset, and how many lines are there (fewer than `count` when the file is shorter)
 */
export function tailOffset(
  descriptor: number,
  count: number,
): { readonly offset: number; readonly lines: number } {
  const size = fstatSync(descriptor).size;
  if (count <= 0) return { offset: size, lines: 0 };
  const block = Buffer.allocUnsafe(Math.min(BLOCK, Math.max(size, 1)));
  let seen = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - block.length);
    const length = readSync(descriptor, block, 0, end - start, start);
    for (let at = length - 1; at >= 0; at--) {
      if (block[at] !== NEWLINE) continue;
      // The newline that ends the last line does not begin another one.
      if (start + at === size - 1) continue;
      if (++seen === count) return { offset: start + at + 1, lines: count };
    }
    end = start;
  }
  return { offset: 0, lines: size === 0 ? 0 : seen + 1 };
}
