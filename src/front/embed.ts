import { ALIGN, ELF, PT, writeSegments } from "../plan/program/elf.ts";
import type { Segments } from "../plan/program/layout.ts";
import type { Original } from "./loader.ts";

/** Where an executable begins, and who loads it. @throws Error for one that no front can be put before */
export function originalOf(executable: Uint8Array): Original {
  const view = viewOf(executable);
  const interpreter = headerOf(view, PT.INTERP);
  const offset = Number(view.getBigUint64(interpreter + 8, true));
  const length = Number(view.getBigUint64(interpreter + 32, true)) - 1;
  const table = Number(view.getBigUint64(ELF.table, true));
  return {
    headers: Uint8Array.from(
      executable.subarray(table, table + view.getUint16(ELF.count, true) * ELF.headerSize),
    ),
    entry: Number(view.getBigUint64(ELF.entry, true)),
    interpreter: Buffer.from(executable.subarray(offset, offset + length)).toString(),
  };
}

/**
 * Put a front before an executable: the kernel maps both and starts the front, which maps the interpreter itself
 * when it is needed. Two headers become the front's segments: the interpreter's, so that the kernel does not load it,
 * and the notes' (the build id), which nobody asks for at run time.
 */
export function embedFront(executable: Uint8Array, front: Segments): Uint8Array {
  const at = Math.ceil(executable.length / ALIGN) * ALIGN;
  const joined = new Uint8Array(at + front.file.length);
  joined.set(executable);
  joined.set(front.file, at);
  const view = viewOf(joined);
  writeSegments(view, headerOf(view, PT.INTERP), headerOf(view, PT.NOTE), front, at);
  view.setBigUint64(ELF.entry, BigInt(front.entry), true);
  return joined;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Where the first program header of a type is. */
function headerOf(view: DataView, type: number): number {
  const table = Number(view.getBigUint64(ELF.table, true));
  for (let index = 0; index < view.getUint16(ELF.count, true); index++) {
    if (view.getUint32(table + index * ELF.headerSize, true) === type) return table + index * ELF.headerSize;
  }
  throw new Error(`Cannot put a front before this executable: it has no program header of type ${type}`);
}
