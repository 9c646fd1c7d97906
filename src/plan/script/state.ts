import { isAbsolute, join } from "node:path";
import type { Call, Data, NetlinkMessage, Reason, Slot } from "../step.ts";
import { comment, quote } from "./shell.ts";

/** What is known at one point of a plan, while its steps are read one after the other. */

/** A path, by whose it is; or one that the script itself puts together. */
export type Place =
  | { readonly on: "host" | "root"; readonly path: string }
  | { readonly on: "shell"; readonly word: string };

/** What a slot's descriptor means. */
export type Thing =
  | { readonly kind: "file"; readonly place: Place }
  /** A detached mount: nothing has happened yet, what is asked of it is done when it is attached. */
  | {
      readonly kind: "tree";
      readonly source: Place;
      readonly recursive: boolean;
      readonly changes: readonly Change[];
    }
  | {
      readonly kind: "fs";
      readonly type: string;
      readonly source: string;
      readonly options: readonly string[];
      /** Whether it takes the mode that the shell has in `covered`, if there is one. */
      readonly takesMode?: true;
    }
  /** A FIFO of the keeper's, or a descriptor that only the launch program needs. */
  | { readonly kind: "mechanics" }
  | { readonly kind: "terminal" }
  /** Of another container's mount namespace: no tool can bring it here. */
  | { readonly kind: "foreign" }
  | { readonly kind: "socket" };

/** A `mount_setattr`: options for a remount, or a `--make-…`. */
export type Change =
  | { readonly kind: "options"; readonly options: readonly string[]; readonly recursive: boolean }
  | { readonly kind: "propagation"; readonly how: string }
  | { readonly kind: "idmap"; readonly namespace: string };

/** A function of the script: lines, indented when they are written out. */
export interface Stage {
  readonly name: string;
  readonly lines: string[];
}

/** What stands between the shell and the workload, in this order. */
export interface Last {
  /** Options of prlimit(1). */
  readonly limits: string[];
  session: boolean;
  /** Options of setpriv(1), and capabilities without `cap_`. */
  readonly privileges: string[];
  readonly dropped: string[];
  readonly ambient: string[];
  /** A shell lets its background processes ignore SIGINT and SIGQUIT: the workload must not inherit that. */
  background: boolean;
}

export interface State {
  readonly stages: Stage[];
  stage: Stage;
  side: "keeper" | "container";
  readonly slots: Map<Slot, Thing>;
  /** Memory → the slot whose value a `store` put into it. */
  readonly stores: Map<Data, Slot>;
  /** Memory → the path that a `decimal` put together there, as a shell word. */
  readonly paths: Map<Data, string>;
  /** Where a tree of the host was attached → where it is from. */
  readonly attached: Map<string, string>;
  readonly cwd: { place: Place };
  /** Directories in which only the keeper's own files are. */
  readonly keeperDirectories: ReadonlySet<string>;
  /** The directory that becomes the root. */
  readonly rootPlace: string | undefined;
  /** Whether the plan has pivoted: absolute paths are the container's from then on. */
  pivoted: boolean;
  /** Before each command: in the child's mount namespace. */
  prefix: string;
  /** Options of the next `unshare`, and what stands before it. */
  readonly unshare: string[];
  enter: string;
  /** Commands for when the pivot has been made. */
  readonly afterPivot: { readonly reason: Reason; readonly words: readonly string[] }[];
  /** What the keeper does first of all. */
  readonly prepare: string[];
  /** Commands that take back what the keeper made, in order. */
  readonly undo: string[];
  readonly identity: { uid?: string; gid?: string; groups?: string };
  /** The words that lead from the shell to the workload. */
  readonly last: Last;
  /** Trees that one side has sent and the other has not received yet. */
  readonly sent: Thing[];
  reason: Reason;
  /** The comment and the `at` that hold where the next command goes. */
  said: string;
  at: string;
}

/** "Cannot write a script: …": a plan that the interpreter does not know. */
export function noForm(what: string): Error {
  return new Error(`Cannot write a script: no shell form for ${what}`);
}

function because({ why, option }: Reason): string {
  return option === undefined ? why : `${why} [${option}]`;
}

/** A line of the script, under the reason of its step. */
export function say(state: State, line: string): void {
  const text = because(state.reason);
  if (state.said !== text) state.stage.lines.push(comment(text));
  state.said = text;
  state.stage.lines.push(line);
}

/** A command with its words, in the mount namespace where the plan is just now. */
export function run(state: State, ...words: readonly string[]): void {
  const tolerated = (state.reason as Call | NetlinkMessage).tolerate ?? [];
  say(state, `${state.prefix}${words.join(" ")}${tolerated.length > 0 ? " 2>/dev/null || :" : ""}`);
}

/** What a step is by hand when it is no command. */
export function note(state: State, text: string): void {
  const line = comment(`${because(state.reason)}: ${text}`);
  if (state.stage.lines.at(-1) !== line) state.stage.lines.push(line);
  state.said = "";
}

/** A path as a call means it. */
export function placeOf(state: State, path: string): Place {
  if (isAbsolute(path)) return { on: state.pivoted ? "root" : "host", path: join(path) };
  const { place } = state.cwd;
  if (place.on === "shell") throw noForm(`a path relative to ${place.word}`);
  return { on: place.on, path: join(place.path, path) };
}

/** A path in a directory that was opened by its path; with "" that directory itself. */
export function placeIn(state: State, slot: Slot, path: string): Place {
  const opened = state.slots.get(slot);
  if (opened?.kind !== "file" || opened.place.on === "shell") throw noForm(`a path in <${slot}>`);
  return { on: opened.place.on, path: join(opened.place.path, path) };
}

/** Text as a word, with the directory that becomes the root under the name that the script has for it. */
export function rooted(state: State, text: string): string {
  const { rootPlace } = state;
  if (rootPlace === undefined) return quote(text);
  const parts = text.split(`${rootPlace}/`);
  return parts.map((part, index) => (index === 0 ? quote(part) : `"$root"${quote(`/${part}`)}`)).join("");
}

/** Where the kernel's own files are: no link of an image is among them, and `self` must not be resolved early. */
const KERNEL = /^\/(proc|sys)\//;

/**
 * A place as a shell word. A path of the container is looked up by `at`, which says so first and leaves it in
 * `$at`; `nofollow` keeps a link at its end from being followed.
 */
export function word(state: State, place: Place, nofollow: "follow" | "nofollow" = "follow"): string {
  if (place.on === "shell") return place.word;
  if (place.on === "host") {
    const { rootPlace } = state;
    if (rootPlace === undefined || (place.path !== rootPlace && !place.path.startsWith(`${rootPlace}/`)))
      return quote(place.path);
    const below = place.path.slice(rootPlace.length);
    return below === "" ? '"$root"' : `"$root"${quote(below)}`;
  }
  if (place.path === "/") return '"$root"';
  const line = `at ${quote(place.path)}${nofollow === "nofollow" ? " nofollow" : ""}`;
  if (state.at !== line) say(state, line);
  state.at = line;
  return '"$at"';
}

/** A file of procfs, sysfs or cgroupfs, or any other, to be written to. */
export function fileWord(state: State, place: Place): string {
  return place.on === "root" && KERNEL.test(place.path) ? `"$root"${quote(place.path)}` : word(state, place);
}

/** Go on in another process: `words` start the script again at its next stage. */
export function reenter(state: State, words: readonly string[]): void {
  const name = `container_${state.stages.length}`;
  say(state, `exec ${words.join(" ")} sh "$self" ${name}`);
  state.stage = { name, lines: [] };
  state.stages.push(state.stage);
  state.said = "";
  state.at = "";
}
