import { readSync } from "node:fs";
import { caller } from "./caller/caller.ts";
import { out } from "./output.ts";

/** Asks before something is lost; anything but `y` is no. */
export function confirm(warning: string): boolean {
  caller().own();
  out(`${warning}\nAre you sure you want to continue? [y/N] `);
  const buffer = Buffer.alloc(64);
  let count = 0;
  try {
    count = readSync(0, buffer);
  } catch {
    // No input, no consent.
  }
  return /^y(es)?\s*$/i.test(buffer.toString("utf8", 0, count).trim());
}
