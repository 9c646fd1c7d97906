import { type Line, within } from "../../row.ts";
import type { Engine } from "./engine.ts";

/**
 * A line for what took some time, and one for the processor time that the engines spent on it: that is what others
 * on the machine cannot change.
 */
export function timeLines(what: string, took: Map<string, number>, cost: Map<string, number>): Line[] {
  const line = (name: string, values: Map<string, number>): Line => ({
    what: name,
    unit: "ms",
    values,
    targets: [within(values, "docker", 1)],
  });
  return [line(what, took), line("  processor time of the engine", cost)];
}

/** Collects what engines spend on several rounds of something: its mean. */
export function meter(rounds: number) {
  const values = new Map<string, number>();
  return {
    values,
    /** Does it, and returns what `work` does. */
    async run<Result>({ name, spent }: Engine, work: () => Promise<Result>): Promise<Result> {
      const before = spent();
      const result = await work();
      values.set(name, (values.get(name) ?? 0) + (spent() - before) / rounds);
      return result;
    },
  };
}
