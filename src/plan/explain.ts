import { describeStep, type StepFacts, stepFacts } from "./describe.ts";
import type { Numbered, Plan, Reason, Step } from "./step.ts";

/** A step as `cais explain --format json` has it; the shape is stable, new fields may be added. */
export interface ExplainedStep extends StepFacts {
  /** The number that traces and errors use. */
  readonly index: number;
  /** Who makes the call: the keeper, or the container's first process. */
  readonly side: "keeper" | "container";
  /** Errors after which the plan goes on. */
  readonly tolerates?: readonly string[];
  /** What takes it back when a later step fails. */
  readonly undo?: readonly string[];
}

/** The plan's calls, in the order in which they are numbered: a child's stand where it is made. */
export function explainSteps(plan: Plan): readonly ExplainedStep[] {
  const explained: ExplainedStep[] = [];
  const walk = (steps: readonly Step[], side: ExplainedStep["side"], tolerated: readonly string[]): void => {
    for (const [position, step] of steps.entries()) {
      const inherited = position === 0 ? tolerated : [];
      if (step.kind === "attempt") {
        walk(step.steps, side, step.tolerate);
        walk(step.otherwise ?? [], side, []);
        continue;
      }
      if (step.kind === "netlink") {
        for (const message of step.messages) explained.push(explainStep(message, explained.length, side, []));
        continue;
      }
      // Moves within the program's own memory are no calls.
      if (step.kind === "load" || step.kind === "store" || step.kind === "decimal") continue;
      explained.push(explainStep(step, explained.length, side, inherited));
      if (step.kind === "clone") {
        walk(step.via ?? [], side, []);
        walk(step.child, "container", []);
      }
      if (step.kind === "hook") walk(step.prepare, side, []);
    }
  };
  walk(plan.steps, "keeper", []);
  return explained;
}

function explainStep(
  step: Numbered,
  index: number,
  side: ExplainedStep["side"],
  inherited: readonly string[],
): ExplainedStep {
  const tolerates = [
    ...new Set([
      ...inherited,
      ...(step.kind === "call" || step.kind === "message" ? (step.tolerate ?? []) : []),
    ]),
  ];
  const undo = step.kind === "call" || step.kind === "clone" ? (step.undo ?? []).map(describeStep) : [];
  return {
    index,
    side,
    ...stepFacts(step),
    ...(tolerates.length === 0 ? {} : { tolerates }),
    ...(undo.length === 0 ? {} : { undo }),
  };
}

const TITLES = {
  keeper: "The keeper, in the host's namespaces as root:",
  container: "The container's first process, in its namespaces:",
} as const;

/**
 * The plan in words: under each reason (and the option behind it) the calls that it takes, with their numbers,
 * grouped by who makes them.
 */
export function explain(plan: Plan): string {
  const steps = explainSteps(plan);
  const width = String(steps.length).length;
  const lines: string[] = [];
  let side: ExplainedStep["side"] | undefined;
  let reason = "";
  for (const step of steps) {
    if (step.side !== side) {
      const again = side !== undefined && step.side === "keeper";
      lines.push(...(side === undefined ? [] : [""]), again ? "The keeper again:" : TITLES[step.side]);
      reason = "";
    }
    side = step.side;
    // Closing belongs to what was opened for.
    const closing = step.call === "close" && step.why === "close it";
    const because = closing && reason !== "" ? reason : reasonOf(step);
    if (because !== reason) lines.push("", `  ${because}`);
    reason = because;
    const tolerates =
      step.tolerates === undefined || step.call === "close" ? "" : `  (${step.tolerates.join(", ")}: go on)`;
    lines.push(`    ${String(step.index).padStart(width)}  ${step.text}${tolerates}`);
  }
  return `${lines.join("\n")}\n`;
}

function reasonOf({ why, option }: Pick<Reason, "why" | "option">): string {
  return option === undefined ? why : `${why}  [${option}]`;
}

/** The same as JSON: `{"steps": [ExplainedStep…]}`. */
export function explainJson(plan: Plan): string {
  return `${JSON.stringify({ steps: explainSteps(plan) }, null, 2)}\n`;
}
