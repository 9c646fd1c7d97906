import type { Arch } from "../../kernel/arch.ts";
import type { Segments } from "./layout.ts";

/** `e_machine` (elf.h). */
const MACHINE: Record<Arch, number> = { x86_64: 62, aarch64: 183 };
const PT_LOAD = 1;
const PT_GNU_STACK = 0x6474e551;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;
/** Up to 64 KiB pages exist on aarch64. */
const ALIGN = 0x10000;

/**
 * Write the headers of a static executable (elf(5)): one segment to read and execute, one to read and
 * write, and a stack that cannot be executed.
 */
export function elf(arch: Arch, segments: Segments): Uint8Array {
  const { file, data } = segments;
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, MACHINE[arch], true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(segments.entry), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 3, true);
  const header = (index: number, type: number, flags: number, fields: readonly number[]) => {
    const at = 64 + index * 56;
    view.setUint32(at, type, true);
    view.setUint32(at + 4, flags, true);
    // p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
    for (const [place, value] of fields.entries()) view.setBigUint64(at + 8 + place * 8, BigInt(value), true);
  };
  header(0, PT_LOAD, PF_R | PF_X, [0, segments.code, segments.code, file.length, file.length, ALIGN]);
  header(1, PT_LOAD, PF_R | PF_W, [data.offset, data.address, data.address, data.size, data.memory, ALIGN]);
  header(2, PT_GNU_STACK, PF_R | PF_W, [0, 0, 0, 0, 0, 16]);
  return file;
}
