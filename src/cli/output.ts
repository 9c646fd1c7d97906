import { caller } from "./caller/caller.ts";

/** Text on standard output. */
export function out(text: string): void {
  caller().write(1, Buffer.from(text));
}

/** Text on standard error. */
export function err(text: string): void {
  caller().write(2, Buffer.from(text));
}

/** All bytes, now. A reader that has gone away ends the program quietly, as SIGPIPE would. */
export function writeAll(fd: 1 | 2, bytes: Uint8Array): void {
  caller().write(fd, bytes);
}

/** All bytes, while the program goes on: for streams, whose reader may be slow. */
export function pour(fd: 1 | 2, bytes: Uint8Array): Promise<void> {
  return caller().pour(fd, bytes);
}
