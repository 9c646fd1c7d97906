import { readFileSync } from "node:fs";

/** USER_HZ is 100 on every architecture that we run on (proc_pid_stat(5)). */
const TICK_MS = 10;

/** Processor time that a process has spent, in milliseconds, to the nearest ten. */
export function spent(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
