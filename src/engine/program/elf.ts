/** What the header of an ELF file says (elf(5)). */
export interface Elf {
  /** As `uname -m` calls it. */
  readonly machine: string;
  /** The dynamic loader it asks for (PT_INTERP); undefined for a static one, or when it lies beyond `head`. */
  readonly interpreter: string | undefined;
}

/** EM_* of linux/elf-em.h, and x86-64's 32-bit one. */
const MACHINES: Readonly<Record<number, string>> = {
  3: "i386",
  8: "mips",
  20: "ppc",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x86_64",
  183: "aarch64",
  243: "riscv64",
  258: "loongarch64",
};

const PT_INTERP = 3;
const MOST_HEADERS = 64;

/** Read an ELF header from the beginning of a file; undefined when it is none. */
export function readElf(head: Buffer): Elf | undefined {
  if (head.length < 52 || head.readUInt32BE(0) !== 0x7f454c46) return undefined;
  const wide = head[4] === 2;
  const little = head[5] === 1;
  const u16 = (at: number) => (little ? head.readUInt16LE(at) : head.readUInt16BE(at));
  const u32 = (at: number) => (little ? head.readUInt32LE(at) : head.readUInt32BE(at));
  const word = (at: number) => {
    if (!wide) return u32(at);
    return Number(little ? head.readBigUInt64LE(at) : head.readBigUInt64BE(at));
  };
  const machine = MACHINES[u16(18)] ?? `machine ${u16(18)}`;
  if (wide && head.length < 64) return { machine, interpreter: undefined };
  const table = word(wide ? 32 : 28);
  const [size, count] = wide ? [u16(54), u16(56)] : [u16(42), u16(44)];
  for (let index = 0; index < Math.min(count, MOST_HEADERS); index++) {
    const at = table + index * size;
    if (at + (wide ? 56 : 32) > head.length) break;
    if (u32(at) !== PT_INTERP) continue;
    const offset = word(at + (wide ? 8 : 4));
    const length = word(at + (wide ? 32 : 16));
    if (offset + length > head.length || length < 2) break;
    return { machine, interpreter: head.toString("utf8", offset, offset + length - 1) };
  }
  return { machine, interpreter: undefined };
}
