import { fs } from "../host/builtin.ts";

/**
 * Standard output and error without `process.stdout`, whose first touch costs milliseconds.
 * What other programs share with us may be non-blocking: on EAGAIN the same pipe or terminal is opened once
 * more through `/proc/self/fd`, which makes a description of our own that blocks.
 */
const own = new Map<number, number>();

/** Text on standard output. */
export function out(text: string): void {
  writeAll(1, Buffer.from(text));
}

/** Text on standard error. */
export function err(text: string): void {
  writeAll(2, Buffer.from(text));
}

/** All bytes, now. A reader that has gone away ends the program quietly, as SIGPIPE would. */
export function writeAll(fd: 1 | 2, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += fs().writeSync(own.get(fd) ?? fd, bytes, at);
    } catch (error) {
      recover(fd, error as NodeJS.ErrnoException);
    }
  }
}

/** All bytes, while the program goes on: for streams, whose reader may be slow. */
export async function pour(fd: 1 | 2, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += await new Promise<number>((resolve, reject) => {
        fs().write(own.get(fd) ?? fd, bytes, at, bytes.length - at, null, (error, count) =>
          error ? reject(error) : resolve(count),
        );
      });
    } catch (error) {
      recover(fd, error as NodeJS.ErrnoException);
    }
  }
}

function recover(fd: 1 | 2, error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(141);
  if (error.code !== "EAGAIN" || own.has(fd)) throw error;
  own.set(fd, fs().openSync(`/proc/self/fd/${fd}`, "a"));
}
