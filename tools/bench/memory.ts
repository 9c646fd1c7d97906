import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

/** Proportional set size of a process in KiB: its own pages, and its share of those it shares. */
export function pss(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
}

/** Resident memory of a process in KiB. */
export const resident = (pid: number): number => statusOf(pid, "VmRSS");

/** What of it is memory that the process has allocated, without its program's pages, which the kernel may drop. */
export const allocated = (pid: number): number => statusOf(pid, "RssAnon");

function statusOf(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0);
}

/** Pid of a process's parent. */
export function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

/** A process and its children with the given name: dockerd and its containerd. */
export function withChildren(pid: number, name: string): number[] {
  const children = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((other) => {
      try {
        return parentOf(other) === pid && readFileSync(`/proc/${other}/comm`, "utf8").trim() === name;
      } catch {
        return false;
      }
    });
  return [pid, ...children];
}

/** Engines clean up when there is time to: what remains after that is what they need. */
export const rest = (): Promise<void> => setTimeout(12_000);
