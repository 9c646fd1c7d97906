import { at, imm, slot, type Writer } from "../../plan/program/writer.ts";
import type { Slot } from "../../plan/step.ts";
import { RUNTIME_ROOT } from "../../wire/runtime.ts";
import { ifBegins, ifEquals } from "../text.ts";

/** The container's id, and the directory that containers' directories are in. */
export const ID: Slot = "id";
export const ROOT: Slot = "root";
/** 1 for `delete --force`. */
export const FORCE: Slot = "force";
/** Where the pointer to the next word is. */
export const NEXT_WORD: Slot = "next-word";

/** What has no say in what a command does that succeeds. */
const PLAIN = ["--systemd-cgroup"];
const WITH_VALUE = ["--log", "--log-format"];

/** Where each command of the front's begins. */
export interface Commands {
  readonly start: string;
  readonly delete: string;
}

/**
 * Read the words from `NEXT_WORD` on: `[--root DIR] … start ID`, `[--root DIR] … delete [--force] ID`. Whatever is
 * written otherwise is for the runtime, at `elsewhere`.
 */
export function readCommand(writer: Writer, commands: Commands, elsewhere: string): void {
  const loop = writer.fresh("option");
  const value = writer.fresh("option-value");
  const root = writer.fresh("option-root");
  const start = writer.fresh("word-start");
  const remove = writer.fresh("word-delete");
  writer.set(ROOT, at({ kind: "text", text: RUNTIME_ROOT }));
  writer.set(FORCE, imm(0));
  writer.label(loop);
  nextWord(writer, elsewhere);
  for (const name of PLAIN) ifEquals(writer, "word", name, loop);
  for (const name of WITH_VALUE) {
    ifEquals(writer, "word", name, value);
    ifBegins(writer, "word", `${name}=`, loop);
  }
  ifEquals(writer, "word", "--root", root);
  ifEquals(writer, "word", "start", start);
  ifEquals(writer, "word", "delete", remove);
  writer.jump(elsewhere);
  writer.label(value);
  nextWord(writer, elsewhere);
  writer.jump(loop);
  writer.label(root);
  nextWord(writer, elsewhere);
  writer.set(ROOT, slot("word"));
  writer.jump(loop);

  writer.label(start);
  nextWord(writer, elsewhere);
  takeId(writer, elsewhere);
  writer.jump(commands.start);

  const forced = writer.fresh("forced");
  const named = writer.fresh("named");
  writer.label(remove);
  nextWord(writer, elsewhere);
  for (const name of ["--force", "-f"]) ifEquals(writer, "word", name, forced);
  writer.jump(named);
  writer.label(forced);
  writer.set(FORCE, imm(1));
  nextWord(writer, elsewhere);
  writer.label(named);
  takeId(writer, elsewhere);
  writer.jump(commands.delete);
}

/** The next word into `word`; goes to `elsewhere` where there is none. */
function nextWord(writer: Writer, elsewhere: string): void {
  writer.load("word", slot(NEXT_WORD), 0, 8);
  writer.if(slot("word"), "eq", imm(0), elsewhere);
  writer.add(NEXT_WORD, imm(8));
}

/** The word is an id, and the last one: nothing that is a flag or could be a way to another directory. */
function takeId(writer: Writer, elsewhere: string): void {
  const loop = writer.fresh("id-byte");
  const done = writer.fresh("id-done");
  writer.set(ID, slot("word"));
  for (const first of ["-", ".", "\0"]) ifBegins(writer, "word", first, elsewhere);
  writer.label(loop);
  writer.load("byte", slot("word"), 0, 1);
  writer.if(slot("byte"), "eq", imm(0), done);
  writer.if(slot("byte"), "eq", imm("/".charCodeAt(0)), elsewhere);
  writer.add("word", imm(1));
  writer.jump(loop);
  writer.label(done);
  writer.load("word", slot(NEXT_WORD), 0, 8);
  writer.if(slot("word"), "ne", imm(0), elsewhere);
}
