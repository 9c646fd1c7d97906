import { O } from "../../kernel/flags.ts";
import { at, imm, slot, type Writer } from "../../plan/program/writer.ts";
import { MESSAGE } from "../../plan/records.ts";
import type { Data } from "../../plan/step.ts";
import { LATE } from "../../wire/quick.ts";
import { CALLER_FILES } from "../../wire/runtime.ts";
import { openContainer, openFile } from "./directory.ts";

/** The record that a failed step leaves. */
const RECORD: Data = { kind: "space", size: MESSAGE.size, name: "late-record" };
const ORDER: Data = { kind: "bytes", bytes: Uint8Array.of(0) };

/** `start`, as `runtime/commands/start.ts` has it: give the order, wait for the end of the reply. */
export function startContainer(writer: Writer, build: string, elsewhere: string): void {
  const failed = writer.fresh("start-failed");
  openContainer(writer, build, elsewhere);
  openFile(writer, CALLER_FILES.reply, O.RDWR, "both", elsewhere);
  openFile(writer, CALLER_FILES.reply, O.RDONLY, "reply", elsewhere);
  writer.syscall("close", slot("both"));
  openFile(writer, CALLER_FILES.start, O.WRONLY | O.NONBLOCK, "go", elsewhere);
  writer.syscall("write", slot("go"), at(ORDER), imm(1));
  writer.if("acc", "lt", imm(0), elsewhere);
  writer.syscall("close", slot("go"));
  writer.syscall("read", slot("reply"), at(RECORD), imm(MESSAGE.size));
  writer.if("acc", "eq", imm(MESSAGE.size), failed);
  writer.syscall("exit_group", imm(0));
  // The runtime finds words for it.
  writer.label(failed);
  openFile(writer, LATE, O.WRONLY | O.CREAT | O.TRUNC, "late-file", elsewhere);
  writer.syscall("write", slot("late-file"), at(RECORD), imm(MESSAGE.size));
  writer.jump(elsewhere);
}
