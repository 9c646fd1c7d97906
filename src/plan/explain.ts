import type { Arg, Plan, Step } from "./step.ts";

/** A step as a call, the way strace(1) would print it. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case "call":
      return `${step.call}(${step.args.map(describeArgument).join(", ")})`;
    case "clone":
      return `clone3(${step.flagsText}${step.cgroup === undefined ? "" : "|CLONE_INTO_CGROUP"})`;
    case "exec":
      return `execve(${JSON.stringify(step.candidates[0] ?? "")}${step.candidates.length > 1 ? ", or along PATH" : ""}, ${JSON.stringify(step.argv)})`;
    case "awaitExec":
      return "read(sync): end of file once execve has happened";
    case "receive":
      return `recvmsg(sync) = ${step.into}`;
    case "keep":
      return "ppoll(exits, orders of the engine)";
    case "init":
      return "read(signals), kill, wait4";
    case "attempt":
      return step.steps[0] === undefined ? "" : describeStep(step.steps[0]);
    case "decimal":
    case "load":
    case "store":
      return `${step.kind} ${step.kind === "load" ? step.into : step.slot}`;
  }
}

function describeArgument(arg: Arg): string {
  switch (arg.kind) {
    case "number":
      return arg.text ?? String(arg.value);
    case "slot":
    case "slotAddress":
      return `<${arg.slot}>`;
    case "data":
      if (arg.text !== undefined) return arg.text;
      return arg.data.kind === "text" ? JSON.stringify(arg.data.text) : "…";
  }
}

/** The plan in words: each call, why it is there, and the option that caused it. */
export function explain(plan: Plan): string {
  const lines: string[] = [];
  let number = 0;
  const walk = (steps: readonly Step[], indent: string) => {
    for (const step of steps) {
      if (step.kind === "attempt") {
        walk(step.steps, indent);
        continue;
      }
      if (step.kind === "load" || step.kind === "store" || step.kind === "decimal") continue;
      const option = step.option === undefined ? "" : `  [${step.option}]`;
      lines.push(
        `${String(number++).padStart(4)}  ${indent}${describeStep(step)}`,
        `      ${indent}  # ${step.why}${option}`,
      );
      if (step.kind === "clone") walk(step.child, `${indent}  `);
    }
  };
  walk(plan.steps, "");
  return `${lines.join("\n")}\n`;
}
