import { fstatSync } from "node:fs";
import { makeRaw } from "../../host/terminal.ts";
import { caller } from "../caller/caller.ts";
import { Failure } from "../failure.ts";

/** Loaded when there is a terminal: it brings streams and sockets along, 3 ms that most commands do not owe. */
const tty = () => process.getBuiltinModule("node:tty");

/** Major number of `/dev/null` and its like (devices.txt in the kernel's documentation). */
const MEMORY_DEVICES = 1;

/** Whether a standard descriptor is a terminal. */
export function isTerminal(fd: 0 | 1 | 2): boolean {
  caller().own();
  return mayBeTerminal(fd) && tty().isatty(fd);
}

/** Files, pipes, sockets and `/dev/null` are none. */
function mayBeTerminal(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isCharacterDevice() && ((stat.rdev >> 8) & 0xfff) !== MEMORY_DEVICES;
  } catch {
    return false;
  }
}

/** @throws Failure when `-t` with an attached input has no terminal to read from */
export function requireTerminal(): void {
  if (!isTerminal(0)) throw new Failure("the input device is not a TTY", 1);
}

/** Keys arrive one by one and unchanged, until the returned function is called. */
export function rawMode(): () => void {
  if (!isTerminal(0)) return () => {};
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
  const input = new (tty().ReadStream)(0);
  input.setRawMode(true);
  return () => void input.setRawMode(false);
}

/** Height and width of the terminal on standard output, if there is one. */
export function terminalSize(): readonly [number, number] | undefined {
  if (!isTerminal(1)) return undefined;
  const [width, height] = new (tty().WriteStream)(1).getWindowSize();
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
