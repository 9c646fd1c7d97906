import { dirname } from "node:path";
import { AT, O, S } from "../../kernel/flags.ts";
import type { Call } from "../step.ts";
import type { Handlers } from "./handler.ts";
import { dataAt, numberAt, slotAt, textAt } from "./memory.ts";
import { print, quote } from "./shell.ts";
import { fileWord, noForm, note, type Place, placeIn, placeOf, run, type State, say, word } from "./state.ts";

/** Calls on files and directories. */

/** Where a path starts: at the current directory, or at one that was opened by a path that is known. */
function pathAt(state: State, call: Call, index: number): Place {
  const arg = call.args[index - 1];
  if (arg?.kind === "slot") return placeIn(state, arg.slot, textAt(call, index));
  if (arg?.kind !== "number" || Number(arg.value) !== AT.FDCWD)
    throw noForm(`${call.call} relative to a descriptor`);
  const data = dataAt(call, index);
  const path = state.paths.get(data);
  return path === undefined ? placeOf(state, textAt(call, index)) : { on: "shell", word: path };
}

/** Whether a path is one of the files that keeper and engine talk through. */
function ofKeeper(state: State, place: Place): boolean {
  if (state.side !== "keeper" || place.on !== "host") return false;
  return state.keeperDirectories.has(place.path) || state.keeperDirectories.has(dirname(place.path));
}

const octal = (mode: number) => (mode & 0o7777).toString(8).padStart(4, "0");

function makeDirectory(state: State, call: Call) {
  const place = pathAt(state, call, 1);
  if (ofKeeper(state, place)) return note(state, "not needed by hand");
  const mode = octal(numberAt(call, 2));
  const at = word(state, place);
  const may = call.tolerate?.includes("EEXIST") === true;
  // What a prefix enters cannot be tested from outside.
  const command =
    state.prefix === ""
      ? `mkdir -m ${mode} ${at}`
      : `${state.prefix}mkdir ${may ? "-p " : ""}-m ${mode} ${at}`;
  say(state, may && state.prefix === "" ? `[ -d ${at} ] || ${command}` : command);
  for (const undo of call.undo ?? []) {
    if (undo.call !== "unlinkat") throw noForm(`an undo with ${undo.call}`);
    state.undo.push(`rmdir ${at}`);
  }
}

function makeNode(state: State, call: Call) {
  const place = pathAt(state, call, 1);
  const mode = numberAt(call, 2);
  const device = numberAt(call, 3);
  if (ofKeeper(state, place)) return note(state, "the script's own standard streams serve");
  const at = word(state, place);
  const type = { [S.IFCHR]: "c", [S.IFBLK]: "b", [S.IFIFO]: "p" }[mode & 0o170000];
  if (type === undefined) throw noForm(`a node of mode ${mode.toString(8)}`);
  // dev_t as the kernel takes it (linux/kdev_t.h, new_decode_dev).
  const number =
    type === "p" ? "" : ` ${(device >> 8) & 0xfff} ${(device & 0xff) | ((device >>> 12) & 0xfff00)}`;
  const existing = call.tolerate?.includes("EEXIST") === true ? `[ -e ${at} ] || ` : "";
  say(state, `${existing}mknod -m ${octal(mode)} ${at} ${type}${number}`);
}

function open(state: State, call: Call) {
  const place = pathAt(state, call, 1);
  const flags = numberAt(call, 2);
  if (call.result !== undefined) {
    state.slots.set(call.result, ofKeeper(state, place) ? { kind: "mechanics" } : { kind: "file", place });
  }
  if ((flags & O.CREAT) === 0 || ofKeeper(state, place)) return;
  const at = word(state, place);
  const mode = octal(numberAt(call, 3));
  say(state, `[ -e ${at} ] || { : >${at}; chmod ${mode} ${at}; }`);
}

function write(state: State, call: Call) {
  const file = state.slots.get(slotAt(call, 0) ?? "");
  if (file?.kind === "mechanics") return;
  if (file?.kind !== "file") throw noForm("a write to something else than a file");
  const text = textAt(call, 1);
  const { place } = file;
  if (place.on === "host" && place.path === "/proc/self/timens_offsets") return offsets(state, text);
  const at = fileWord(state, place);
  const tolerated = (call.tolerate ?? []).length > 0;
  say(state, tolerated ? `{ ${print(text)} >${at}; } 2>/dev/null || :` : `${print(text)} >${at}`);
}

/** `monotonic 10 0`: unshare(1) writes that file itself. */
function offsets(state: State, text: string) {
  for (const line of text.trim().split("\n")) {
    const [clock = "", seconds = "0", nanoseconds = "0"] = line.split(" ");
    if (nanoseconds !== "0")
      note(state, `unshare has no nanoseconds: ${nanoseconds} are not added to ${clock}`);
    state.unshare.push(`--${clock}=${seconds}`);
  }
}

function rename(state: State) {
  if (state.side !== "keeper") throw noForm("renameat2 in a container");
  note(state, "there is no engine that could give the start up");
}

function symlink(state: State, call: Call) {
  const place = pathAt(state, call, 2);
  if (place.on === "shell") throw noForm("a link at a computed path");
  const parent = word(state, { on: place.on, path: dirname(place.path) });
  const at = `${parent}/${quote(place.path.slice(place.path.lastIndexOf("/") + 1))}`;
  const existing = call.tolerate?.includes("EEXIST") === true ? `[ -e ${at} ] || [ -L ${at} ] || ` : "";
  say(state, `${existing}ln -s ${quote(textAt(call, 0))} ${at}`);
}

function chown(state: State, call: Call) {
  run(state, "chown", `${numberAt(call, 2)}:${numberAt(call, 3)}`, word(state, pathAt(state, call, 1)));
}

/** Descriptors 0, 1 and 2: the script's own, unless a file is put in their place. */
function duplicate(state: State, call: Call) {
  const thing = state.slots.get(slotAt(call, 0) ?? "");
  const descriptor = numberAt(call, 1);
  if (thing !== undefined) state.slots.set(`descriptor ${descriptor}`, thing);
  if (thing?.kind === "file" && descriptor === 0) return say(state, `exec <${word(state, thing.place)}`);
  if (thing?.kind === "mechanics" || thing?.kind === "terminal")
    return note(state, "the script's own standard streams serve");
  throw noForm(`dup3 of ${slotAt(call, 0)} to ${descriptor}`);
}

function changeStreamOwner(state: State, call: Call) {
  const thing = state.slots.get(`descriptor ${numberAt(call, 0)}`);
  if (thing?.kind === "file") return run(state, "chown", String(numberAt(call, 1)), word(state, thing.place));
  note(state, "not done by hand: the streams are the caller's");
}

function changeDirectory(state: State, call: Call) {
  const place = placeOf(state, textAt(call, 0));
  state.cwd.place = place;
  if (state.side === "keeper") return note(state, "the script stays in the caller's directory");
  // In the container the shell stays where the host's tools are; the workload gets its directory at the end.
  if (place.on === "host" && place.path !== state.rootPlace) say(state, `cd ${word(state, place)}`);
}

/** What is held on to by its path; before the pivot only things in another container's mount namespace are. */
function openBeneath(state: State, call: Call) {
  if (state.pivoted && call.result !== undefined)
    return void state.slots.set(call.result, { kind: "file", place: placeOf(state, textAt(call, 1)) });
  if (call.result !== undefined) state.slots.set(call.result, { kind: "foreign" });
  note(state, "NOT done by hand: it is in another mount namespace");
}

function enterDirectory(state: State, call: Call) {
  state.cwd.place = placeIn(state, slotAt(call, 0) ?? "", "");
}

export const FILES: Handlers = {
  fchdir: enterDirectory,
  fstatfs: () => undefined,
  statx: () => undefined,
  openat2: openBeneath,
  mkdirat: makeDirectory,
  mknodat: makeNode,
  openat: open,
  write,
  renameat2: rename,
  symlinkat: symlink,
  fchownat: chown,
  dup3: duplicate,
  chdir: changeDirectory,
  pipe2: (state) => note(state, "the script's own standard streams serve"),
  read: (state) => note(state, "the shell needs no such note"),
  close: (state, call) => void state.slots.delete(slotAt(call, 0) ?? ""),
  fchmod: (state) => note(state, "the shell's own program stays as it is"),
  close_range: (state) => note(state, "the script has opened nothing that is handed on"),
  fchown: changeStreamOwner,
  umask: (state, call) => say(state, `umask ${octal(numberAt(call, 0))}`),
};
