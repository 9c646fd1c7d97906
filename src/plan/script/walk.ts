import { CLONE } from "../../kernel/flags.ts";
import type { Attempt, Clone, Netlink, Step } from "../step.ts";
import { FILES } from "./files.ts";
import type { Handlers } from "./handler.ts";
import { execute } from "./last.ts";
import { dataAt, slotAt, textAt } from "./memory.ts";
import { MOUNTS } from "./mounts.ts";
import { GO, JOINING, NAMESPACES } from "./namespaces.ts";
import { netlink, shellWords } from "./netlink.ts";
import { PRIVILEGES } from "./privileges.ts";
import { quote } from "./shell.ts";
import { noForm, note, placeOf, run, type Stage, type State, say, word } from "./state.ts";

const CALLS: Handlers = { ...FILES, ...MOUNTS, ...JOINING, ...PRIVILEGES };

/** Read steps in their order; each leaves its commands in the stage of the script that runs it. */
export function walk(state: State, steps: readonly Step[]): void {
  for (const [index, step] of steps.entries()) {
    if (step.kind === "netlink") {
      netlink(state, step);
      continue;
    }
    state.reason = step;
    if (step.kind === "clone") {
      clone(state, step, steps.slice(index + 1));
      return;
    }
    interpret(state, step);
  }
}

function interpret(state: State, step: Exclude<Step, Clone | Netlink>) {
  switch (step.kind) {
    case "call": {
      const handler = CALLS[step.call];
      if (handler === undefined) throw noForm(step.call);
      return handler(state, step);
    }
    case "attempt":
      return attempt(state, step);
    case "decimal":
      return void state.paths.set(step.into, `"${step.prefix}$${step.slot}${step.suffix}"`);
    case "store":
      return void state.stores.set(step.to, step.slot);
    case "load":
      // One end of a pipe or of a socket pair.
      return void state.slots.set(step.into, { kind: "mechanics" });
    case "dump":
      return run(state, shellWords(step.request.words));
    case "receive":
      return receive(state, step.into);
    case "hook":
      throw noForm("hooks");
    case "expect":
      return note(state, "NOT checked by hand");
    case "userMap":
      throw noForm("a user namespace that nobody is in");
    case "exec":
      return execute(state, step);
    case "awaitExec":
      return note(state, "the script waits for the end of it instead");
    case "keep":
      return note(state, "the script waits for its child; its streams are the caller's");
    case "lookup":
      return note(state, "by hand the shell finds the program when it is run");
    case "escort":
      return note(state, "the script waits for its child");
    case "relay":
    case "init":
      return note(state, "NOT done by hand");
  }
}

/** Where the first call may find nothing, the rest depends on a test. */
function attempt(state: State, step: Attempt) {
  const [first] = step.steps;
  // By hand what is missing is made first in any case.
  if (first?.kind === "call" && first.call === "openat2" && step.otherwise !== undefined)
    return byHand(state, step, step.otherwise);
  if (first?.kind === "call" && first.call === "move_mount") {
    // Tried again on a link that leads to nothing; by hand the place has been made where it leads.
    const done = step.tolerate.includes("EBADF") && !state.slots.has(slotAt(first, 0) ?? "");
    return done ? undefined : walk(state, step.steps);
  }
  if (first?.kind !== "call" || !step.tolerate.includes("ENOENT")) return walk(state, step.steps);
  const data = dataAt(first, 1);
  const path = data.kind === "text" ? textAt(first, 1) : undefined;
  if (path === undefined) throw noForm("an attempt without a path");
  const outer = state.stage;
  const inner: Stage = { name: outer.name, lines: [] };
  const at = word(state, placeOf(state, path));
  say(state, `if [ -e ${at} ]; then`);
  state.stage = inner;
  walk(state, step.steps);
  state.stage = outer;
  state.at = "";
  outer.lines.push(...inner.lines.map((line) => `  ${line}`), "fi");
  if (inner.lines.length === 0) outer.lines.splice(-2);
}

/** What is done where nothing is found does no harm where something is, and ends in the same. */
function byHand(state: State, step: Attempt, otherwise: readonly Step[]) {
  const [first] = otherwise;
  const other = first?.kind === "attempt" && otherwise.length === 1;
  if (other) return eitherKind(state, step, otherwise);
  const makes = otherwise.some(
    (each) => each.kind === "attempt" || (each.kind === "call" && each.call === "mkdirat"),
  );
  walk(state, makes ? otherwise : step.steps);
}

/** A directory is covered in another way than a file. */
function eitherKind(state: State, step: Attempt, otherwise: readonly Step[]) {
  const [first] = step.steps;
  if (first?.kind !== "call") return;
  const outer = state.stage;
  say(state, `if [ -d ${word(state, placeOf(state, textAt(first, 1)))} ]; then`);
  for (const [index, steps] of [step.steps, otherwise].entries()) {
    if (index === 1) outer.lines.push("else");
    state.stage = { name: outer.name, lines: [] };
    state.at = "";
    walk(state, steps);
    outer.lines.push(
      ...(state.stage.lines.length === 0 ? [":"] : state.stage.lines).map((line) => `  ${line}`),
    );
    state.stage = outer;
  }
  state.at = "";
  outer.lines.push("fi");
}

function receive(state: State, into: string | undefined) {
  if (into === undefined) throw noForm("hooks");
  const tree = state.sent.shift();
  if (tree === undefined) return note(state, "the script's own terminal serves");
  say(state, "read -r _ <&4");
  state.slots.set(into, tree);
}

/**
 * The child. What the parent does after the clone is read first: it decides whether the child has to wait for it,
 * and what it sends is known when the child receives it.
 */
function clone(state: State, step: Clone, rest: readonly Step[]) {
  if (step.via !== undefined) throw noForm("namespaces that a helper enters");
  if (state.side === "container") {
    note(state, "NOT done by hand: without an init of its own the workload is process 1 itself");
    return walk(state, step.child);
  }
  const keeper = state.stage;
  for (const undo of step.undo ?? []) {
    if (undo.call !== "unlinkat") throw noForm(`an undo with ${undo.call}`);
    state.undo.push(`rmdir ${quote(textAt(undo, 1))}`);
  }
  const slots = new Map(state.slots);
  const cwd = state.cwd.place;
  const start: Stage = { name: "", lines: [] };
  const after: Stage = { name: "", lines: [] };
  state.stage = after;
  walk(state, rest);
  const waits = after.lines.some((line) => line.includes("$child"));
  // What is done beside the child but not to it can be done before there is one: nobody waits for a word then, and
  // neither it nor its comment is written.
  const before = waits ? [] : after.lines.splice(0, after.lines.lastIndexOf(GO) + 1).slice(0, -2);

  state.stage = start;
  state.said = "";
  state.reason = step;
  const flags = Number(step.flags);
  const options = NAMESPACES.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => `--${name}`);
  const mount = (flags & CLONE.NEWNS) !== 0 ? ["--propagation unchanged"] : [];
  const fork = options.includes("--pid") || state.unshare.length > 0 ? ["--fork --kill-child"] : [];
  const keep = options.includes("--user") ? ["--keep-caps"] : [];
  const command = `${state.enter}${["unshare", ...options, ...state.unshare, ...mount, ...keep, ...fork].join(" ")} sh "$self" container_1`;
  state.last.background = waits;
  if (waits) {
    for (const line of WAITING) say(state, line.replace("COMMAND", command));
    state.undo.push('[ -z "$child" ] || kill -KILL "$child" || :; wait');
    const end = ["status=0", 'wait "$!" || status=$?', "child=", 'exit "$status"'];
    keeper.lines.push(...start.lines, ...after.lines, ...end);
  } else {
    say(state, "status=0");
    say(state, `${command} || status=$?`);
    keeper.lines.push(...before, ...start.lines, ...after.lines, 'exit "$status"');
  }

  const child: Stage = { name: "container_1", lines: [] };
  state.stages.push(child);
  state.stage = child;
  state.said = "";
  state.side = "container";
  // Nobody of the host is anybody in there yet, and mount(8) works for root only.
  state.prefix = options.includes("--user") ? "setpriv --reuid=0 --regid=0 --keep-groups " : "";
  state.slots.clear();
  for (const [slot, thing] of slots) state.slots.set(slot, thing);
  state.cwd.place = cwd;
  if (waits)
    child.lines.push(
      "# tell the keeper which process this is; what it writes next is for this one",
      ...TELLING,
    );
  const cgroup = state.slots.get(step.cgroup ?? "");
  if (cgroup?.kind === "file" && cgroup.place.on === "host") {
    state.reason = { why: "be in the cgroup" };
    say(state, `echo 0 >${word(state, { on: "host", path: `${cgroup.place.path}/cgroup.procs` })}`);
  }
  walk(state, step.child);
}

/** Descriptor 4 says "go" to the child, 5 says to the keeper which process the child is. */
const WAITING = [
  "child=",
  "pipes=$(mktemp -d)",
  'mkfifo "$pipes/go" "$pipes/pid"',
  'exec 3<&0 4<>"$pipes/go" 5<>"$pipes/pid"',
  'rm -r "$pipes"',
  '{ COMMAND || { status=$?; echo 0 >&5; exit "$status"; }; } <&3 3<&- &',
  "read -r child <&5",
  'if [ "$child" = 0 ]; then wait "$!"; fi',
];
const TELLING = ["read -r pid _ </proc/self/stat", 'echo "$pid" >&5; exec 5>&-'];
