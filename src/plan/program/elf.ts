import type { Arch } from "../../kernel/arch.ts";
import type { Segments } from "./layout.ts";

/** `e_machine` (elf.h). */
const MACHINE: Record<Arch, number> = { x86_64: 62, aarch64: 183 };
/** Where the fields of a 64-bit file's header are (elf(5)), and how long each program header is. */
export const ELF = { entry: 24, table: 32, count: 56, headerSize: 56 } as const;
/** Types of program headers. */
export const PT = { NULL: 0, LOAD: 1, INTERP: 3, NOTE: 4, PHDR: 6, GNU_STACK: 0x6474e551 } as const;
/** What may be done with a segment. */
export const PF = { X: 1, W: 2, R: 4 } as const;
/** Up to 64 KiB pages exist on aarch64. */
export const ALIGN = 0x10000;

/**
 * Write the headers of a static executable (elf(5)): one segment to read and execute, one to read and
 * write, and a stack that cannot be executed.
 */
export function elf(arch: Arch, segments: Segments): Uint8Array {
  const { file } = segments;
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, MACHINE[arch], true);
  view.setUint32(20, 1, true);
  view.setBigUint64(ELF.entry, BigInt(segments.entry), true);
  view.setBigUint64(ELF.table, 64n, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, ELF.headerSize, true);
  view.setUint16(ELF.count, 3, true);
  const at = (index: number) => 64 + index * ELF.headerSize;
  writeSegments(view, at(0), at(1), segments, 0);
  writeHeader(view, at(2), PT.GNU_STACK, PF.R | PF.W, [0, 0, 0, 0, 0, 16]);
  return file;
}

/** The two segments of a program whose image begins at `offset` of the file, as program headers at `code` and `data`. */
export function writeSegments(
  view: DataView,
  code: number,
  data: number,
  segments: Segments,
  offset: number,
): void {
  const { length } = segments.file;
  const { address, memory, offset: within, size } = segments.data;
  writeHeader(view, code, PT.LOAD, PF.R | PF.X, [
    offset,
    segments.code,
    segments.code,
    length,
    length,
    ALIGN,
  ]);
  writeHeader(view, data, PT.LOAD, PF.R | PF.W, [offset + within, address, address, size, memory, ALIGN]);
}

function writeHeader(
  view: DataView,
  at: number,
  type: number,
  flags: number,
  fields: readonly number[],
): void {
  view.setUint32(at, type, true);
  view.setUint32(at + 4, flags, true);
  // p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
  for (const [place, value] of fields.entries()) view.setBigUint64(at + 8 + place * 8, BigInt(value), true);
}
