import { fs } from "../../host/builtin.ts";
import type { Caller } from "./caller.ts";

/**
 * Standard output and error without `process.stdout`, whose first touch costs milliseconds.
 * What other programs share with us may be non-blocking: on EAGAIN the same pipe or terminal is opened once
 * more through `/proc/self/fd`, which makes a description of our own that blocks.
 */
const reopened = new Map<number, number>();

/** This process. */
export const ownProcess: Caller = {
  get environment() {
    return process.env;
  },
  directory: () => process.cwd(),
  /** A reader that has gone away ends the program quietly, as SIGPIPE would. */
  write(fd, bytes) {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += fs().writeSync(reopened.get(fd) ?? fd, bytes, at);
      } catch (error) {
        recover(fd, error as NodeJS.ErrnoException);
      }
    }
  },
  async pour(fd, bytes) {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += await new Promise<number>((resolve, reject) => {
          fs().write(reopened.get(fd) ?? fd, bytes, at, bytes.length - at, null, (error, count) =>
            error ? reject(error) : resolve(count),
          );
        });
      } catch (error) {
        recover(fd, error as NodeJS.ErrnoException);
      }
    }
  },
  onSignal(name, handler) {
    process.on(name, handler);
    return () => void process.off(name, handler);
  },
  own: () => undefined,
};

function recover(fd: 1 | 2, error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(141);
  if (error.code !== "EAGAIN" || reopened.has(fd)) throw error;
  reopened.set(fd, fs().openSync(`/proc/self/fd/${fd}`, "a"));
}
