import { existsSync, renameSync, rmSync } from "node:fs";

/** The file that is going to be the current one. */
export const nextName = (path: string): string => `${path}.next`;

/**
 * The new file takes the place of the current one, that of the one before it, and so on; of `maxFile` files the oldest
 * goes. Cut short, it can be done again: what has moved already leaves a gap.
 */
export function turnOver(path: string, maxFile: number): void {
  const nameOf = (age: number): string => (age === 0 ? path : `${path}.${age}`);
  let gap = 0;
  while (gap < maxFile && existsSync(nameOf(gap))) gap++;
  // Not by a rename onto it: file systems flush then.
  if (gap === maxFile) rmSync(nameOf(--gap));
  for (; gap > 0; gap--) renameSync(nameOf(gap - 1), nameOf(gap));
  renameSync(nextName(path), path);
}
