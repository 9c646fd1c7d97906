import type { Segments } from "../plan/program/layout.ts";
import type { Original } from "./loader.ts";

/** Headers of a 64-bit ELF file (elf(5)). */
const TABLE = 32;
const ENTRY = 24;
const COUNT = 56;
const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_NOTE = 4;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;
/** A page on every architecture that we have. */
const ALIGN = 0x10000;

/** Where an executable begins, and who loads it. @throws Error for one that no front can be put before */
export function originalOf(executable: Uint8Array): Original {
  const view = viewOf(executable);
  const interpreter = headerOf(view, PT_INTERP);
  const offset = Number(view.getBigUint64(interpreter + 8, true));
  const length = Number(view.getBigUint64(interpreter + 32, true)) - 1;
  const table = Number(view.getBigUint64(TABLE, true));
  return {
    headers: Uint8Array.from(executable.subarray(table, table + view.getUint16(COUNT, true) * 56)),
    entry: Number(view.getBigUint64(ENTRY, true)),
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
  const segment = (header: number, flags: number, fields: readonly number[]) => {
    view.setUint32(header, PT_LOAD, true);
    view.setUint32(header + 4, flags, true);
    // p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
    for (const [place, value] of fields.entries())
      view.setBigUint64(header + 8 + place * 8, BigInt(value), true);
  };
  const { code, data, file } = front;
  segment(headerOf(view, PT_INTERP), PF_R | PF_X, [at, code, code, file.length, file.length, ALIGN]);
  segment(headerOf(view, PT_NOTE), PF_R | PF_W, [
    at + data.offset,
    data.address,
    data.address,
    data.size,
    data.memory,
    ALIGN,
  ]);
  view.setBigUint64(ENTRY, BigInt(front.entry), true);
  return joined;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Where the first program header of a type is. */
function headerOf(view: DataView, type: number): number {
  const table = Number(view.getBigUint64(TABLE, true));
  for (let index = 0; index < view.getUint16(COUNT, true); index++) {
    if (view.getUint32(table + index * 56, true) === type) return table + index * 56;
  }
  throw new Error(`Cannot put a front before this executable: it has no program header of type ${type}`);
}
