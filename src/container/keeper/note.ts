import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { notePath, RUN_FILES } from "../launch/session.ts";

/** What a later engine must know of a start, written beside its run directory before the program runs. */
export interface StartNote {
  /** Hexadecimal. */
  readonly token: string;
  readonly terminal: boolean;
  readonly stdin: boolean;
  /** Whether every process of the container dies with its first one. */
  readonly ownPids: boolean;
  readonly ownUsers: boolean;
  readonly ownTime: boolean;
  readonly cgroup: string;
  /** Removed in reverse order at the end; empty for an exec, which uses its container's. */
  readonly cgroupDirectories: readonly string[];
}

/** Write the note; lost with /run, as the process is. */
export function writeNote(runDir: string, note: StartNote): void {
  writeFileSync(notePath(runDir), JSON.stringify(note), { mode: 0o600 });
}

/** The note of a start, null when there is none or it is damaged. */
export function readNote(runDir: string): StartNote | null {
  try {
    return JSON.parse(readFileSync(notePath(runDir), "utf8")) as StartNote;
  } catch {
    return null;
  }
}

/** Remove the note of a start that came to nothing. */
export function removeNote(runDir: string): void {
  rmSync(notePath(runDir), { force: true });
}

/** Remove everything of a start. */
export function removeRunDirectory(runDir: string): void {
  removeNote(runDir);
  rmSync(runDir, { recursive: true, force: true });
}

/** A process by pid and start time, so that a reused pid is not taken for it (proc_pid_stat(5), field 22). */
export interface Identity {
  readonly pid: number;
  readonly startTime: string;
}

function parseStat(text: string): Identity | null {
  // The name is in parentheses and may contain anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const startTime = fields[19];
  const pid = Number.parseInt(text, 10);
  return startTime === undefined || Number.isNaN(pid) ? null : { pid, startTime };
}

/** The keeper as it noted itself, and whether it still lives. */
export function readKeeper(runDir: string): (Identity & { alive: boolean; since: Date }) | null {
  try {
    const path = join(runDir, RUN_FILES.keeper);
    const noted = parseStat(readFileSync(path, "latin1"));
    if (noted === null) return null;
    return { ...noted, alive: isAlive(noted), since: statSync(path).mtime };
  } catch {
    return null;
  }
}

/** Whether that very process still runs. */
export function isAlive(identity: Identity): boolean {
  try {
    const text = readFileSync(`/proc/${identity.pid}/stat`, "latin1");
    const state = text.slice(text.lastIndexOf(")") + 2, text.lastIndexOf(")") + 3);
    return parseStat(text)?.startTime === identity.startTime && state !== "Z" && state !== "X";
  } catch {
    return false;
  }
}

/** The oldest child of a process: the container's first process is its keeper's. */
export function oldestChild(pid: number): number | null {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    const first = Number.parseInt(children, 10);
    return Number.isNaN(first) ? null : first;
  } catch {
    return null;
  }
}
