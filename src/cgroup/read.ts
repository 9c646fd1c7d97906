import { closeSync, openSync, readSync } from "node:fs";
import { errnoOf } from "./error.ts";

/** One buffer for all reads: statistics of hundreds of containers every second must not make garbage. */
let buffer = Buffer.allocUnsafe(16_384);

/** The text of a kernel file; "" when it, or the container, is not there. */
export function readKernel(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
  try {
    let length = 0;
    for (;;) {
      if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      if (count === 0) return buffer.toString("latin1", 0, length);
      length += count;
    }
  } catch (error) {
    // ENODEV: removed while it was open.
    if (errnoOf(error) === "ENODEV") return "";
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** `key value` lines. */
export function readKeyed(path: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const line of readKernel(path).split("\n")) {
    const space = line.indexOf(" ");
    if (space > 0) values.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return values;
}

/** A file with one number; undefined when it is absent or says "max". */
export function readNumber(path: string): number | undefined {
  const text = readKernel(path).trim();
  return text === "" || text === "max" ? undefined : Number(text);
}
