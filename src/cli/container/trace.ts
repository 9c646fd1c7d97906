import type { Engine } from "../../client/request.ts";
import { trace } from "../../client/system.ts";
import type { TraceStep } from "../../wire/trace.ts";
import { err } from "../output.ts";

/** The steps of the start that has just happened. */
export function fetchTrace(engine: Engine, id: string): Promise<readonly TraceStep[]> {
  return trace(engine, id);
}

/** A table on standard error: one line a kernel call, with its time and its reason. */
export function showTrace(steps: readonly TraceStep[]): void {
  err(traceTable(steps));
}

/** Both of the above: for containers in the background. */
export async function printTrace(engine: Engine, id: string): Promise<void> {
  showTrace(await fetchTrace(engine, id));
}

const CALL_WIDTH = 72;

/** The table's text; exported for its test. */
export function traceTable(steps: readonly TraceStep[]): string {
  const rows = steps.map((step) => [
    String(step.index),
    step.side,
    step.microseconds.toFixed(1),
    clip(step.text, CALL_WIDTH) + (step.errno ? ` = ${step.errno}` : ""),
    step.option ? `${step.why} (${step.option})` : step.why,
  ]);
  const header = ["STEP", "SIDE", "µS", "CALL", "WHY"];
  const widths = header.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 0 || i === 2 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  const total = steps.reduce((sum, step) => sum + step.microseconds, 0);
  return `${[header, ...rows].map(line).join("\n")}\n${steps.length} calls, ${total.toFixed(1)} µs\n`;
}

function clip(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
