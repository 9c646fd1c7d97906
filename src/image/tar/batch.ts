import type { Step } from "../../plan/step.ts";
import { inDirectory, type RunPlan } from "../../storage/kernel.ts";

/** Collects the calls that Node lacks and runs them together; a path with calls outstanding is `pending`. */
export interface Batch {
  add(path: string, steps: readonly Step[]): void;
  pending(path: string): boolean;
  /** True when it is time to `flush`. */
  full(): boolean;
  flush(): Promise<void>;
}

/** Enough that starting a program costs little beside its steps. */
const STEPS_MAX = 800;

/** Paths are relative to `directory`. */
export function batchIn(directory: string, runPlan: RunPlan): Batch {
  let steps: Step[] = [];
  const paths = new Set<string>();
  return {
    add(path, more) {
      steps.push(...more);
      paths.add(path);
    },
    pending: (path) => paths.has(path),
    full: () => steps.length >= STEPS_MAX,
    async flush() {
      if (steps.length === 0) return;
      const batch = steps;
      steps = [];
      paths.clear();
      await runPlan({ steps: [...inDirectory(directory), ...batch] });
    },
  };
}
