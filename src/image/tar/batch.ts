import { Refusal, reasonOf } from "../../oci/error.ts";
import type { Step } from "../../plan/step.ts";
import { inDirectory, type RunPlan } from "../../storage/kernel.ts";

/** Collects the calls that Node lacks and runs them together; a path with calls outstanding is `pending`. */
export interface Batch {
  add(path: string, steps: readonly Step[]): void;
  /** The same for steps that make what is at the path. */
  make(path: string, steps: readonly Step[]): void;
  pending(path: string): boolean;
  /** Whether something on the way to `path` is yet to be made. */
  pendingAbove(path: string): boolean;
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
  const made = new Set<string>();
  const add = (path: string, more: readonly Step[]): void => {
    steps.push(...more);
    paths.add(path);
  };
  return {
    add,
    make(path, more) {
      add(path, more);
      made.add(path);
    },
    pending: (path) => paths.has(path),
    pendingAbove(path) {
      if (made.size === 0) return false;
      for (let at = path.length; at > 0; at = path.lastIndexOf("/", at - 1)) {
        if (made.has(path.slice(0, at))) return true;
      }
      return false;
    },
    full: () => steps.length >= STEPS_MAX,
    async flush() {
      if (steps.length === 0) return;
      const batch = steps;
      steps = [];
      paths.clear();
      made.clear();
      try {
        await runPlan({ steps: [...inDirectory(directory), ...batch] });
      } catch (error) {
        throw new Refusal("failed", `Cannot unpack the archive: ${reasonOf(error)}`, { cause: error });
      }
    },
  };
}
