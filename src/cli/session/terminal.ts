import { isatty, ReadStream, WriteStream } from "node:tty";
import { makeRaw } from "../../host/terminal.ts";
import { Failure } from "../failure.ts";

/** Whether a standard descriptor is a terminal. */
export function isTerminal(fd: 0 | 1 | 2): boolean {
  return isatty(fd);
}

/** @throws Failure when `-t` with an attached input has no terminal to read from */
export function requireTerminal(): void {
  if (!isatty(0)) throw new Failure("the input device is not a TTY", 1);
}

/** Keys arrive one by one and unchanged, until the returned function is called. */
export function rawMode(): () => void {
  if (!isatty(0)) return () => {};
  const putBack = makeRaw(0) ?? lessRaw();
  let raw = true;
  const restore = () => {
    if (raw) putBack();
    raw = false;
  };
  process.once("exit", restore);
  return restore;
}

function lessRaw(): () => void {
  const input = new ReadStream(0);
  input.setRawMode(true);
  return () => void input.setRawMode(false);
}

/** Height and width of the terminal on standard output, if there is one. */
export function terminalSize(): readonly [number, number] | undefined {
  if (!isatty(1)) return undefined;
  const [width, height] = new WriteStream(1).getWindowSize();
  return height > 0 && width > 0 ? [height, width] : undefined;
}

/**
 * Tells the size now and whenever it changes: one request at a time, so that the last one told is the last one
 * set. Failures do not matter: the container may have ended.
 */
export function followSize(resize: (height: number, width: number) => Promise<void>): void {
  let changed = false;
  let telling = false;
  const tellSize = async () => {
    changed = true;
    if (telling) return;
    telling = true;
    while (changed) {
      changed = false;
      const size = terminalSize();
      if (size) await resize(size[0], size[1]).catch(() => {});
    }
    telling = false;
  };
  process.on("SIGWINCH", tellSize);
  void tellSize();
}
