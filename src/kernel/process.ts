import { readFileSync } from "node:fs";

/** `/proc/<pid>/stat` (proc_pid_stat(5)). */
export interface ProcessStat {
  readonly pid: number;
  /** The name of its program, without the parentheses. */
  readonly name: string;
  /** Field `number` as the man page counts them, from 3 on: 3 is the state, 22 the start time. */
  field(number: number): string;
}

/** The text of `/proc/<pid>/stat`, or of a copy; null when it is none. */
export function parseStat(text: string): ProcessStat | null {
  // The name may hold anything, parentheses and spaces too: the last one ends it.
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(close + 2).split(" ");
  if (open === -1 || close === -1 || Number.isNaN(pid) || fields.length < 20) return null;
  return { pid, name: text.slice(open + 1, close), field: (number) => fields[number - 3] ?? "" };
}

/** What `/proc` says about a process; null when there is none. */
export function readStat(pid: number): ProcessStat | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return null;
  }
}

/** When a process was started, in the kernel's ticks; null when there is none. A pid with it is never reused. */
export function startTime(pid: number): string | null {
  return readStat(pid)?.field(22) ?? null;
}

/** A process by pid and start time, so that a reused pid is not taken for it (proc_pid_stat(5), field 22). */
export interface Identity {
  readonly pid: number;
  readonly startTime: string;
}

/** Whether that very process still runs: one that has ended does not, even where nobody has waited for it yet. */
export function isAlive({ pid, startTime }: Identity): boolean {
  const stat = readStat(pid);
  return stat?.field(22) === startTime && !["Z", "X"].includes(stat.field(3));
}
