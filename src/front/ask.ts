import { SOCKET } from "../kernel/flags.ts";
import { u64 } from "../plan/build.ts";
import { at, imm, slot, type Writer } from "../plan/program/writer.ts";
import type { Data, Slot } from "../plan/step.ts";
import { CALL_HEAD, CALL_LIMIT, FRONT_ANSWER, frontRequest } from "../wire/front.ts";
import { ADDRESS, ADDRESS_LENGTH, findAddress } from "./address.ts";
import { AUXV, findAuxiliary, WORD_POINTERS, WORDS } from "./stack.ts";

/** The connection to the engine. */
export const CONNECTION: Slot = "socket";

/** Room for a path: PATH_MAX (linux/limits.h) bytes. */
export const DIRECTORY = { kind: "space", size: 4096, name: "directory" } as const;
const CALL: Data = { kind: "space", size: CALL_HEAD.size, name: "call" };
const ANSWER: Data = { kind: "space", size: 256, name: "answer" };
/** How an answer begins that takes the command. */
const TAKEN = FRONT_ANSWER.slice(0, "HTTP/1.1 101".length);

/**
 * Connect to the engine and hand it the command line; go to `elsewhere` when none answers there, or does not take it.
 * No signal may be delivered meanwhile: a call that is cut short is not continued.
 */
export function askEngine(writer: Writer, build: string, elsewhere: string): void {
  const request = frontRequest(build);
  findAddress(writer, elsewhere);
  // The words and the environment lie in one piece: from the first word to the name of the executable.
  findAuxiliary(writer, AUXV.execfn, "execfn-place", elsewhere);
  writer.load("strings-end", slot("execfn-place"), 0, 8);
  writer.load("strings", slot(WORD_POINTERS), 0, 8);
  writer.subtract("strings-end", slot("strings"));
  writer.if(slot("strings-end"), "lt", imm(1), elsewhere);
  writer.if(slot("strings-end"), "ge", imm(CALL_LIMIT), elsewhere);
  // It tells the length, with the NUL.
  writer.syscall("getcwd", at(DIRECTORY), imm(DIRECTORY.size));
  writer.if("acc", "lt", imm(1), elsewhere);
  writer.set("directory-length", "acc");

  writer.syscall("socket", imm(SOCKET.AF_UNIX), imm(SOCKET.STREAM | SOCKET.CLOEXEC), imm(0));
  writer.if("acc", "lt", imm(0), elsewhere);
  writer.set(CONNECTION, "acc");
  writer.syscall("connect", slot(CONNECTION), at(ADDRESS), imm(ADDRESS_LENGTH));
  writer.if("acc", "lt", imm(0), elsewhere);

  writer.store(at(CALL), CALL_HEAD.words, 8, slot(WORDS));
  writer.store(at(CALL), CALL_HEAD.directory, 8, slot("directory-length"));
  writer.store(at(CALL), CALL_HEAD.strings, 8, slot("strings-end"));
  // struct iovec (readv(2)), four of them
  const vector: Data = {
    kind: "struct",
    fields: [
      { pointer: { kind: "bytes", bytes: Buffer.from(request, "latin1") } },
      u64(request.length),
      { pointer: CALL },
      u64(CALL_HEAD.size),
      { pointer: DIRECTORY },
      u64(0),
      u64(0),
      u64(0),
    ],
  };
  writer.store(at(vector), 40, 8, slot("directory-length"));
  writer.store(at(vector), 48, 8, slot("strings"));
  writer.store(at(vector), 56, 8, slot("strings-end"));
  writer.syscall("writev", slot(CONNECTION), at(vector), imm(4));
  writer.if("acc", "lt", imm(0), elsewhere);
  readAnswer(writer, elsewhere);
}

/** The answer's length is known, if it is the right one: what comes after it is not touched. */
function readAnswer(writer: Writer, elsewhere: string): void {
  const next = writer.fresh("answer");
  const done = writer.fresh("answer-done");
  writer.set("answer-at", at(ANSWER));
  writer.set("answer-left", imm(FRONT_ANSWER.length));
  writer.label(next);
  writer.if(slot("answer-left"), "eq", imm(0), done);
  writer.syscall("read", slot(CONNECTION), slot("answer-at"), slot("answer-left"));
  writer.if("acc", "lt", imm(1), elsewhere);
  writer.set("moved", "acc");
  writer.add("answer-at", slot("moved"));
  writer.subtract("answer-left", slot("moved"));
  // Another answer may be shorter: nothing is waited for that may not come. Every answer has a status.
  writer.set("answer-read", imm(FRONT_ANSWER.length));
  writer.subtract("answer-read", slot("answer-left"));
  writer.if(slot("answer-read"), "lt", imm(TAKEN.length), next);
  for (const [offset, byte] of Buffer.from(TAKEN, "latin1").entries()) {
    writer.load("byte", at(ANSWER), offset, 1);
    writer.if(slot("byte"), "ne", imm(byte), elsewhere);
  }
  writer.jump(next);
  writer.label(done);
}
