import type { Step } from "../step.ts";
import { at, imm, slot, type Writer } from "./writer.ts";

/** Where the trace file is mapped. */
const TRACE = "trace";
const CLOCK_MONOTONIC = 1;
/** struct timespec: seconds and nanoseconds, 8 bytes each. */
const STAMP = 16;

/** Make the file at `path`, map it with room for a stamp of every step, and write the first: before all steps. */
export function openTrace(writer: Writer, path: string, steps: readonly Step[]): void {
  const bytes = (countCalls(steps) + 1) * STAMP;
  // O_RDWR|O_CREAT|O_CLOEXEC, PROT_READ|PROT_WRITE, MAP_SHARED
  writer.syscall("openat", imm(-100), at({ kind: "text", text: path }), imm(0o2000102), imm(0o600));
  writer.set("trace-file", "acc");
  writer.syscall("ftruncate", slot("trace-file"), imm(bytes));
  writer.syscall("mmap", imm(0), imm(bytes), imm(3), imm(1), slot("trace-file"), imm(0));
  writer.set(TRACE, "acc");
  writer.syscall("close", slot("trace-file"));
  writer.syscall("clock_gettime", imm(CLOCK_MONOTONIC), slot(TRACE));
}

/** Write the time after step `number`. */
export function stamp(writer: Writer, number: number): void {
  writer.syscall("clock_gettime", imm(CLOCK_MONOTONIC), slot(TRACE, (number + 1) * STAMP));
}

function countCalls(steps: readonly Step[]): number {
  let count = 0;
  for (const step of steps) {
    count += step.kind === "netlink" ? step.messages.length : 1;
    if (step.kind === "clone") count += countCalls(step.child) + countCalls(step.via ?? []);
    if (step.kind === "attempt") count += countCalls(step.steps) + countCalls(step.otherwise ?? []);
    if (step.kind === "hook") count += countCalls(step.prepare);
  }
  return count;
}
