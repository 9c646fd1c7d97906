import { AT, O } from "../../kernel/flags.ts";
import { at, imm, slot, type Writer } from "../../plan/program/writer.ts";
import type { Data, Slot } from "../../plan/step.ts";
import { QUICK, QUICK_LIMIT } from "../../wire/quick.ts";
import { appendText, ifEquals } from "../text.ts";
import { ID, ROOT } from "./arguments.ts";

/** The container's directory, opened, and its path. */
export const DIRECTORY: Slot = "container-directory";
export const DIRECTORY_PATH: Data = { kind: "space", size: 8192, name: "container-path" };
/** Where the list of cgroups begins. */
export const CGROUPS: Slot = "cgroup-list";

const FILE: Data = { kind: "space", size: QUICK_LIMIT + 8, name: "quick" };
const PATH_ROOM = 4000;

/** Open the container's directory and read what `create` has left for us; go to `elsewhere` where that is not so. */
export function openContainer(writer: Writer, build: string, elsewhere: string): void {
  const same = writer.fresh("same-build");
  writer.set("into", at(DIRECTORY_PATH));
  appendText(writer, ROOT, "into", at(DIRECTORY_PATH, PATH_ROOM), elsewhere);
  writer.store(slot("into"), 0, 1, imm("/".charCodeAt(0)));
  writer.add("into", imm(1));
  appendText(writer, ID, "into", at(DIRECTORY_PATH, 2 * PATH_ROOM), elsewhere);
  writer.store(slot("into"), 0, 1, imm(0));
  writer.syscall("openat", imm(AT.FDCWD), at(DIRECTORY_PATH), imm(O.CLOEXEC), imm(0));
  writer.if("acc", "lt", imm(0), elsewhere);
  writer.set(DIRECTORY, "acc");
  openFile(writer, QUICK, O.RDONLY, "quick-file", elsewhere);
  writer.syscall("read", slot("quick-file"), at(FILE), imm(QUICK_LIMIT));
  writer.if("acc", "lt", imm(1), elsewhere);
  writer.syscall("close", slot("quick-file"));
  writer.set(CGROUPS, at(FILE));
  ifEquals(writer, CGROUPS, build, same);
  writer.jump(elsewhere);
  writer.label(same);
  writer.add(CGROUPS, imm(build.length + 1));
}

/** Open a file of the container's directory. */
export function openFile(writer: Writer, name: string, flags: number, into: Slot, elsewhere: string): void {
  const text: Data = { kind: "text", text: name };
  writer.syscall("openat", slot(DIRECTORY), at(text), imm(flags | O.CLOEXEC), imm(0o600));
  writer.if("acc", "lt", imm(0), elsewhere);
  writer.set(into, "acc");
}
