import { ERRNO } from "../../kernel/errno.ts";
import { AT, O } from "../../kernel/flags.ts";
import { SIGNALS } from "../../kernel/signals.ts";
import { POLLIN } from "../../plan/program/poll.ts";
import { at, imm, slot, type Writer } from "../../plan/program/writer.ts";
import type { Data, Slot } from "../../plan/step.ts";
import { CALLER_FILES } from "../../wire/runtime.ts";
import { appendText } from "../text.ts";
import { FORCE } from "./arguments.ts";
import { openFile } from "./directory.ts";

/** The container's first process, as `runtime/status.ts` finds it: `/proc/<pid>/stat` was noted when it was made. */

/** Seconds that a killed process has to end. */
const PATIENCE = 10n;
const NOTED: Data = { kind: "space", size: 1024, name: "noted-stat" };
const NOW: Data = { kind: "space", size: 1024, name: "now-stat" };
const PATH: Data = { kind: "space", size: 64, name: "stat-path" };
const POLL: Data = { kind: "space", size: 8, name: "process-poll" };
const TIMEOUT: Data = { kind: "bytes", bytes: new Uint8Array(BigInt64Array.of(PATIENCE, 0n).buffer) };

/** Go on when it has ended, after killing it where that is asked for; all others of its pid namespace end with it. */
export function endProcess(writer: Writer, elsewhere: string): void {
  const gone = writer.fresh("process-gone");
  openFile(writer, CALLER_FILES.process, O.RDONLY, "noted-file", elsewhere);
  readText(writer, "noted-file", NOTED, elsewhere);
  readPid(writer, elsewhere);
  // What is opened now is the process that is looked at next, or that one has the pid of somebody else.
  writer.syscall("pidfd_open", slot("pid"), imm(0));
  writer.if("acc", "eq", imm(-ERRNO.ESRCH), gone);
  writer.if("acc", "lt", imm(0), elsewhere);
  writer.set("pidfd", "acc");
  writer.syscall("openat", imm(AT.FDCWD), at(PATH), imm(O.CLOEXEC), imm(0));
  writer.if("acc", "eq", imm(-ERRNO.ENOENT), gone);
  writer.if("acc", "lt", imm(0), elsewhere);
  writer.set("now-file", "acc");
  readText(writer, "now-file", NOW, gone);
  afterName(writer, NOW, "now", elsewhere);
  writer.load("byte", slot("now"), 0, 1);
  // Ended, and not waited for yet, is ended (proc_pid_stat(5), field 3).
  for (const state of "ZX") writer.if(slot("byte"), "eq", imm(state.charCodeAt(0)), gone);
  afterName(writer, NOTED, "noted", elsewhere);
  for (const each of ["now", "noted"]) skipFields(writer, each, 22 - 3, elsewhere);
  ifOtherNumber(writer, gone);
  writer.if(slot(FORCE), "eq", imm(0), elsewhere);
  writer.syscall("pidfd_send_signal", slot("pidfd"), imm(SIGNALS.SIGKILL), imm(0), imm(0));
  writer.store(at(POLL), 0, 4, slot("pidfd"));
  writer.store(at(POLL), 4, 4, imm(POLLIN));
  writer.syscall("ppoll", at(POLL), imm(1), at(TIMEOUT), imm(0), imm(0));
  writer.if("acc", "ne", imm(1), elsewhere);
  writer.label(gone);
}

/** A text file, whose memory is zero behind it. */
function readText(writer: Writer, file: Slot, into: Data, failed: string): void {
  writer.syscall("read", slot(file), at(into), imm(1000));
  writer.if("acc", "lt", imm(1), failed);
  writer.syscall("close", slot(file));
}

/** The number that the noted text begins with, into `pid`; and the path of the same file now. */
function readPid(writer: Writer, elsewhere: string): void {
  const loop = writer.fresh("pid-digit");
  const done = writer.fresh("pid-done");
  const prefix: Slot = "proc-prefix";
  const suffix: Slot = "proc-suffix";
  writer.set(prefix, at({ kind: "text", text: "/proc/" }));
  writer.set(suffix, at({ kind: "text", text: "/stat" }));
  writer.set("path-at", at(PATH));
  appendText(writer, prefix, "path-at", at(PATH, 32), elsewhere);
  writer.set("pid", imm(0));
  writer.set("digit-at", at(NOTED));
  writer.label(loop);
  writer.load("byte", slot("digit-at"), 0, 1);
  writer.if(slot("byte"), "eq", imm(" ".charCodeAt(0)), done);
  writer.if(slot("byte"), "lt", imm("0".charCodeAt(0)), elsewhere);
  writer.if(slot("byte"), "ge", imm("9".charCodeAt(0) + 1), elsewhere);
  writer.if(slot("path-at"), "ge", at(PATH, 32), elsewhere);
  writer.store(slot("path-at"), 0, 1, slot("byte"));
  writer.add("path-at", imm(1));
  // Ten times itself by adding.
  writer.add("pid", slot("pid"));
  writer.set("twice", slot("pid"));
  for (let each = 0; each < 4; each++) writer.add("pid", slot("twice"));
  writer.add("pid", slot("byte"));
  writer.subtract("pid", imm("0".charCodeAt(0)));
  writer.add("digit-at", imm(1));
  writer.jump(loop);
  writer.label(done);
  appendText(writer, suffix, "path-at", at(PATH, 60), elsewhere);
  writer.store(slot("path-at"), 0, 1, imm(0));
}

/** Where field 3 begins, behind the name, which may hold anything and ends with the last parenthesis. */
function afterName(writer: Writer, text: Data, into: Slot, elsewhere: string): void {
  const loop = writer.fresh("name-byte");
  const next = writer.fresh("name-next");
  const done = writer.fresh("name-done");
  writer.set(into, imm(0));
  writer.set("name-at", at(text));
  writer.label(loop);
  writer.load("byte", slot("name-at"), 0, 1);
  writer.if(slot("byte"), "eq", imm(0), done);
  writer.if(slot("byte"), "ne", imm(")".charCodeAt(0)), next);
  writer.set(into, slot("name-at", 2));
  writer.label(next);
  writer.add("name-at", imm(1));
  writer.jump(loop);
  writer.label(done);
  writer.if(slot(into), "eq", imm(0), elsewhere);
}

function skipFields(writer: Writer, text: Slot, count: number, elsewhere: string): void {
  const loop = writer.fresh("field-byte");
  writer.set("fields", imm(count));
  writer.label(loop);
  writer.load("byte", slot(text), 0, 1);
  writer.if(slot("byte"), "eq", imm(0), elsewhere);
  writer.add(text, imm(1));
  writer.if(slot("byte"), "ne", imm(" ".charCodeAt(0)), loop);
  writer.subtract("fields", imm(1));
  writer.if(slot("fields"), "ne", imm(0), loop);
}

/** Go to `other` when the words at `now` and `noted` are not the same. */
function ifOtherNumber(writer: Writer, other: string): void {
  const loop = writer.fresh("number-byte");
  const same = writer.fresh("number-same");
  writer.label(loop);
  writer.load("byte", slot("now"), 0, 1);
  writer.load("noted-byte", slot("noted"), 0, 1);
  writer.if(slot("byte"), "ne", slot("noted-byte"), other);
  writer.if(slot("byte"), "eq", imm(" ".charCodeAt(0)), same);
  writer.if(slot("byte"), "eq", imm(0), same);
  writer.add("now", imm(1));
  writer.add("noted", imm(1));
  writer.jump(loop);
  writer.label(same);
}
