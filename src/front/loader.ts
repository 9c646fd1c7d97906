import { AT, O } from "../kernel/flags.ts";
import { ELF, PF, PT } from "../plan/program/elf.ts";
import type { Operand } from "../plan/program/ops.ts";
import { at, imm, slot, type Writer } from "../plan/program/writer.ts";
import type { Data } from "../plan/step.ts";
import { AUXV, findAuxiliary, STACK, VARIABLES_END } from "./stack.ts";

/**
 * What the kernel does for a program that names an interpreter in its headers (fs/binfmt_elf.c): map that, tell it
 * in the auxiliary vector where it is and where the program begins, and start it.
 */

/** Where a program of this kind was to begin, and who loads its libraries. */
export interface Original {
  readonly entry: number;
  readonly interpreter: string;
  /** Its program headers, as they were before there was a front. */
  readonly headers: Uint8Array;
}

const PAGE = 4096;
const PROT = { READ: 1, WRITE: 2, EXEC: 4 } as const;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
/** Offsets in a program header (elf(5)). */
const HEADER = { type: 0, flags: 4, offset: 8, address: 16, fileSize: 32, memorySize: 40 } as const;
/** The file's header and the table after it; every interpreter has it there. */
const HEADERS: Data = { kind: "space", size: 4096, name: "interpreter-headers" };

/** Begin the original program. Does not come back. */
export function startOriginal(writer: Writer, { entry, headers, interpreter }: Original): void {
  const failed = writer.fresh("load-failed");
  writer.syscall("openat", imm(AT.FDCWD), at({ kind: "text", text: interpreter }), imm(O.CLOEXEC), imm(0));
  writer.if("acc", "lt", imm(0), failed);
  writer.set("file", "acc");
  writer.syscall("pread64", slot("file"), at(HEADERS), imm(4096), imm(0));
  writer.if("acc", "lt", imm(ELF.headerSize), failed);
  reserve(writer, failed);
  mapSegments(writer, failed);
  writer.syscall("close", slot("file"));

  const facts: readonly [number, Operand][] = [
    [AUXV.base, slot("base")],
    [AUXV.entry, imm(entry)],
    // The interpreter insists on a header that names it.
    [AUXV.headers, at({ kind: "bytes", bytes: relocatable(headers) })],
  ];
  for (const [type, value] of facts) {
    findAuxiliary(writer, type, "fact", failed);
    writer.store(slot("fact"), 0, 8, value);
  }
  writer.load("start", at(HEADERS), ELF.entry, 8);
  writer.add("start", slot("base"));
  writer.enter(slot("start"), slot(STACK));

  writer.label(failed);
  const text = `cais: cannot load ${interpreter}, which the GNU C library has: this build of cais needs it\n`;
  writer.syscall("write", imm(2), at({ kind: "text", text }), imm(text.length));
  writer.syscall("exit_group", imm(127));
}

/** The table without the entry that says where it is itself: it is elsewhere now, and the program has not moved. */
function relocatable(headers: Uint8Array): Uint8Array {
  const table = Uint8Array.from(headers);
  const view = new DataView(table.buffer);
  for (let header = 0; header < table.length; header += ELF.headerSize) {
    if (view.getUint32(header, true) === PT.PHDR) view.setUint32(header, PT.NULL, true);
  }
  return table;
}

/** Calls `each` in a loop over the loadable segments: `header` points to one. */
function forSegments(writer: Writer, each: () => void): void {
  const loop = writer.fresh("segment");
  const next = writer.fresh("segment-next");
  const end = writer.fresh("segments-end");
  writer.load("segments-left", at(HEADERS), ELF.count, 2);
  writer.load("header", at(HEADERS), ELF.table, 8);
  writer.add("header", at(HEADERS));
  writer.label(loop);
  writer.if(slot("segments-left"), "eq", imm(0), end);
  writer.load("type", slot("header"), HEADER.type, 4);
  writer.if(slot("type"), "ne", imm(PT.LOAD), next);
  each();
  writer.label(next);
  writer.add("header", imm(ELF.headerSize));
  writer.subtract("segments-left", imm(1));
  writer.jump(loop);
  writer.label(end);
}

/** Room for all segments in one piece; they are in ascending order (elf(5)). */
function reserve(writer: Writer, failed: string): void {
  forSegments(writer, () => {
    writer.load("span", slot("header"), HEADER.address, 8);
    writer.load("size", slot("header"), HEADER.memorySize, 8);
    writer.add("span", slot("size"));
  });
  writer.syscall("mmap", imm(0), slot("span"), imm(0), imm(MAP_PRIVATE | MAP_ANONYMOUS), imm(-1), imm(0));
  // Errors are the last page of addresses.
  writer.if("acc", "lt", imm(0), failed);
  writer.set("base", "acc");
}

function mapSegments(writer: Writer, failed: string): void {
  forSegments(writer, () => {
    const plain = writer.fresh("segment-plain");
    writer.load("address", slot("header"), HEADER.address, 8);
    writer.add("address", slot("base"));
    writer.load("offset", slot("header"), HEADER.offset, 8);
    writer.load("size", slot("header"), HEADER.fileSize, 8);
    // Address and offset are at the same place of their pages: begin with the page.
    writer.set("pages", slot("offset"));
    writer.divide("pages", PAGE, "in-page");
    for (const each of ["address", "offset"]) writer.subtract(each, slot("in-page"));
    writer.add("size", slot("in-page"));
    protection(writer);
    writer.syscall(
      "mmap",
      slot("address"),
      slot("size"),
      slot("protection"),
      imm(MAP_PRIVATE | MAP_FIXED),
      slot("file"),
      slot("offset"),
    );
    writer.if("acc", "lt", imm(0), failed);
    writer.load("memory", slot("header"), HEADER.memorySize, 8);
    writer.add("memory", slot("in-page"));
    writer.if(slot("size"), "ge", slot("memory"), plain);
    zeroRest(writer, failed);
    writer.label(plain);
  });
}

/** What the file does not have of a segment is zero: to the end of its last page by hand, then pages of their own. */
function zeroRest(writer: Writer, failed: string): void {
  const loop = writer.fresh("zero");
  const pages = writer.fresh("zero-pages");
  const done = writer.fresh("zero-done");
  writer.set("zero-at", slot("address"));
  writer.add("zero-at", slot("size"));
  writer.set("memory-end", slot("address"));
  writer.add("memory-end", slot("memory"));
  writer.label(loop);
  writer.set("pages", slot("zero-at"));
  writer.divide("pages", PAGE, "in-page");
  writer.if(slot("in-page"), "eq", imm(0), pages);
  writer.store(slot("zero-at"), 0, 1, imm(0));
  writer.add("zero-at", imm(1));
  writer.jump(loop);
  writer.label(pages);
  writer.subtract("memory-end", slot("zero-at"));
  writer.if(slot("memory-end"), "lt", imm(1), done);
  writer.syscall(
    "mmap",
    slot("zero-at"),
    slot("memory-end"),
    slot("protection"),
    imm(MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS),
    imm(-1),
    imm(0),
  );
  writer.if("acc", "lt", imm(0), failed);
  writer.label(done);
}

/** What may be done with a segment, as mmap(2) says it. */
function protection(writer: Writer): void {
  writer.load("flags", slot("header"), HEADER.flags, 4);
  writer.set("protection", imm(0));
  for (const [bit, meaning] of [
    [PF.R, PROT.READ],
    [PF.W, PROT.WRITE],
    [PF.X, PROT.EXEC],
  ] as const) {
    const without = writer.fresh("flag-without");
    writer.if(slot("flags"), "lt", imm(bit), without);
    writer.subtract("flags", imm(bit));
    writer.add("protection", imm(meaning));
    writer.label(without);
  }
}

/** Put `text` before the end of the environment. It needs two places, for the stack is in steps of 16 bytes. */
export function addVariable(writer: Writer, text: string): void {
  const variable: Data = { kind: "text", text };
  const loop = writer.fresh("shift");
  const done = writer.fresh("shift-done");
  writer.set("place", slot(STACK));
  writer.label(loop);
  writer.if(slot("place"), "eq", slot(VARIABLES_END), done);
  writer.load("moved", slot("place"), 0, 8);
  writer.set("into", slot("place", -16));
  writer.store(slot("into"), 0, 8, slot("moved"));
  writer.add("place", imm(8));
  writer.jump(loop);
  writer.label(done);
  for (const distance of [-16, -8]) {
    writer.set("into", slot(VARIABLES_END, distance));
    writer.store(slot("into"), 0, 8, at(variable));
  }
  writer.subtract(STACK, imm(16));
}
