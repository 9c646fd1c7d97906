import { dlopen, ptr } from "bun:ffi";

/** More than any libc's `struct termios` takes (60 bytes with glibc, the same with musl). */
const TERMIOS_SIZE = 128;
/** After all output has been written (tcsetattr(3)). */
const TCSADRAIN = 1;

/**
 * Puts a terminal in raw mode, its output included: what a program in a container writes must reach the
 * terminal byte by byte, and `setRawMode` of the runtimes leaves the translation of newlines on.
 * @returns what puts it back, or undefined where the C library cannot be reached or it is no terminal
 */
export function makeRaw(fd: number): (() => void) | undefined {
  const libc = openLibc();
  if (!libc) return undefined;
  const { tcgetattr, tcsetattr, cfmakeraw } = libc.symbols;
  const before = new Uint8Array(TERMIOS_SIZE);
  if (tcgetattr(fd, ptr(before)) !== 0) return undefined;
  const raw = before.slice();
  cfmakeraw(ptr(raw));
  if (tcsetattr(fd, TCSADRAIN, ptr(raw)) !== 0) return undefined;
  return () => void tcsetattr(fd, TCSADRAIN, ptr(before));
}

function openLibc() {
  for (const name of ["libc.so.6", "libc.so"]) {
    try {
      return dlopen(name, {
        tcgetattr: { args: ["int", "ptr"], returns: "int" },
        tcsetattr: { args: ["int", "int", "ptr"], returns: "int" },
        cfmakeraw: { args: ["ptr"], returns: "void" },
      });
    } catch {
      // Another libc, or none that is shared.
    }
  }
  return undefined;
}
