import { readFileSync } from "node:fs";
import { stepFacts } from "../../plan/describe.ts";
import type { NumberedStep } from "../../plan/program/numbered.ts";
import type { TraceStep } from "../../wire/trace.ts";

/** Read the timestamps that a traced program left: 16 bytes (struct timespec) for its start and for each step. */
export function readTrace(path: string, steps: readonly NumberedStep[]): readonly TraceStep[] {
  const bytes = readFileSync(path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = (index: number) =>
    Number(view.getBigInt64(index * 16, true)) * 1e6 + Number(view.getBigInt64(index * 16 + 8, true)) / 1e3;
  const last = { keeper: at(0), container: 0 };
  return steps.flatMap(({ side, step }, index): TraceStep[] => {
    if ((index + 2) * 16 > bytes.length) return [];
    const done = at(index + 1);
    // A step that was skipped, or that never returns, has no time.
    if (done === 0) return [];
    if (last.container === 0) last.container = last.keeper;
    const microseconds = Math.max(0, Math.round((done - last[side]) * 10) / 10);
    last[side] = done;
    return [{ index, side, ...stepFacts(step), microseconds }];
  });
}
