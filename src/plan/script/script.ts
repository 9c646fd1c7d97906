import { dirname } from "node:path";
import { CLONE, S } from "../../kernel/flags.ts";
import type { Plan, Step } from "../step.ts";
import { numberAt, textAt } from "./memory.ts";
import { cleaning, preamble, USERS_UNDO } from "./preamble.ts";
import type { Stage, State } from "./state.ts";
import { walk } from "./walk.ts";

/**
 * The plan as a POSIX shell script that makes the same container by hand. It is an interpreter of the steps that
 * run, not a description beside them: what a slot holds (an opened tree, a file, a namespace) is followed from
 * call to call, and mount(8), unshare(1) and the others say the same to the kernel. Throws "no shell form for …" for
 * a call it does not know, so that no new step can be forgotten. What has no tool is a comment, "NOT done by hand".
 */
export function script(plan: Plan): string {
  const keeper: Stage = { name: "keeper", lines: [] };
  const clone = plan.steps.find((step) => step.kind === "clone");
  const ownUsers = clone?.kind === "clone" && (Number(clone.flags) & CLONE.NEWUSER) !== 0;
  const state: State = {
    stages: [keeper],
    stage: keeper,
    side: "keeper",
    slots: new Map(),
    stores: new Map(),
    paths: new Map(),
    attached: new Map(),
    cwd: { place: { on: "host", path: "/" } },
    keeperDirectories: fifoDirectories(plan.steps),
    rootPlace: findRoot(plan.steps),
    pivoted: false,
    prefix: "",
    unshare: [],
    enter: "",
    afterPivot: [],
    prepare: [],
    undo: ownUsers ? [USERS_UNDO] : [],
    identity: {},
    last: { limits: [], session: false, privileges: [], dropped: [], ambient: [], background: false },
    sent: [],
    reason: { why: "" },
    said: "",
    at: "",
  };
  walk(state, plan.steps);
  keeper.lines.unshift(...cleaning(state.undo), ...state.prepare);
  const stages = state.stages.map(
    ({ name, lines }) => `${name}() {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`,
  );
  return `${preamble(state.rootPlace, ownUsers)}\n\n${stages.join("\n")}\n"\${1:-keeper}"\n`;
}

/** Directories that the keeper makes FIFOs in: its run directory. */
function fifoDirectories(steps: readonly Step[]): ReadonlySet<string> {
  const fifos = steps.filter(
    (step) => step.kind === "call" && step.call === "mknodat" && (numberAt(step, 2) & 0o170000) === S.IFIFO,
  );
  return new Set(fifos.map((step) => (step.kind === "call" ? dirname(textAt(step, 1)) : "")));
}

/** Where the container's process stands when it pivots. */
function findRoot(steps: readonly Step[]): string | undefined {
  const clone = steps.find((step) => step.kind === "clone");
  if (clone?.kind !== "clone") return undefined;
  let directory: string | undefined;
  for (const step of clone.child) {
    if (step.kind !== "call") continue;
    if (step.call === "chdir") directory = textAt(step, 0);
    if (step.call === "pivot_root") return directory;
  }
  return undefined;
}
