import { ERRNO } from "../../kernel/errno.ts";
import { AT } from "../../kernel/flags.ts";
import { at, imm, slot, type Writer } from "../../plan/program/writer.ts";
import type { Data } from "../../plan/step.ts";
import { DOCUMENT } from "../../wire/runtime.ts";
import { ifEquals } from "../text.ts";
import { CGROUPS, DIRECTORY, DIRECTORY_PATH, openContainer } from "./directory.ts";
import { endProcess } from "./process.ts";

const DT_DIR = 4;
/** struct linux_dirent64 (getdents64(2)): length, type, name. */
const ENTRY = { length: 16, type: 18, name: 19 } as const;
const ENTRIES: Data = { kind: "space", size: 4096, name: "entries" };

/**
 * `delete`, as `runtime/destroy.ts` has it: end the process if that is asked for, remove the cgroups, then the
 * directory. Whatever is in the way is for the runtime, which finds all that it needs until the document is gone.
 */
export function deleteContainer(writer: Writer, build: string, elsewhere: string): void {
  openContainer(writer, build, elsewhere);
  endProcess(writer, elsewhere);
  removeCgroups(writer, elsewhere);
  readEntries(writer, elsewhere);
  removeEntries(writer, elsewhere);
  writer.syscall("unlinkat", slot(DIRECTORY), at({ kind: "text", text: DOCUMENT }), imm(0));
  writer.if("acc", "lt", imm(0), elsewhere);
  writer.syscall("unlinkat", imm(AT.FDCWD), at(DIRECTORY_PATH), imm(AT.REMOVEDIR));
  writer.if("acc", "lt", imm(0), elsewhere);
  writer.syscall("exit_group", imm(0));
}

/** One that has processes or cgroups of the container's own in it is not removed by the kernel. */
function removeCgroups(writer: Writer, elsewhere: string): void {
  const loop = writer.fresh("cgroup");
  const skip = writer.fresh("cgroup-skip");
  const done = writer.fresh("cgroups-done");
  writer.label(loop);
  writer.load("byte", slot(CGROUPS), 0, 1);
  writer.if(slot("byte"), "eq", imm(0), done);
  writer.syscall("unlinkat", imm(AT.FDCWD), slot(CGROUPS), imm(AT.REMOVEDIR));
  writer.if("acc", "eq", imm(-ERRNO.ENOENT), skip);
  writer.if("acc", "lt", imm(0), elsewhere);
  writer.label(skip);
  writer.load("byte", slot(CGROUPS), 0, 1);
  writer.add(CGROUPS, imm(1));
  writer.if(slot("byte"), "ne", imm(0), skip);
  writer.jump(loop);
  writer.label(done);
}

/** The directory's names, in one piece: there are a handful of files, and more or a directory is none of ours. */
function readEntries(writer: Writer, elsewhere: string): void {
  writer.syscall("getdents64", slot(DIRECTORY), at(ENTRIES), imm(4096));
  writer.if("acc", "lt", imm(1), elsewhere);
  writer.if("acc", "ge", imm(3500), elsewhere);
  writer.set("entries-end", at(ENTRIES));
  writer.set("entries-size", "acc");
  writer.add("entries-end", slot("entries-size"));
  forEntries(writer, () => {
    writer.load("type", slot("dirent"), ENTRY.type, 1);
    writer.if(slot("type"), "eq", imm(DT_DIR), elsewhere);
  });
}

function removeEntries(writer: Writer, elsewhere: string): void {
  forEntries(writer, (next) => {
    ifEquals(writer, "name", DOCUMENT, next);
    writer.syscall("unlinkat", slot(DIRECTORY), slot("name"), imm(0));
    writer.if("acc", "lt", imm(0), elsewhere);
  });
}

/** Calls `each` in a loop over the entries but `.` and `..`: `dirent` points to one, `name` to its name. */
function forEntries(writer: Writer, each: (next: string) => void): void {
  const loop = writer.fresh("entry");
  const next = writer.fresh("entry-next");
  const done = writer.fresh("entries-done");
  writer.set("dirent", at(ENTRIES));
  writer.label(loop);
  writer.if(slot("dirent"), "ge", slot("entries-end"), done);
  writer.set("name", slot("dirent", ENTRY.name));
  for (const own of [".", ".."]) ifEquals(writer, "name", own, next);
  each(next);
  writer.label(next);
  writer.load("length", slot("dirent"), ENTRY.length, 2);
  writer.add("dirent", slot("length"));
  writer.jump(loop);
  writer.label(done);
}
