import { mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Identity, isAlive, parseStat } from "../../kernel/process.ts";
import { codeOf } from "../../oci/error.ts";
import { notePath, RUN_FILES, unclaimedNotePath } from "../launch/session.ts";

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

/** Write the note, for the launch program to claim; lost with /run, as the process is. */
export function writeNote(runDir: string, note: StartNote): void {
  const write = () => writeFileSync(unclaimedNotePath(runDir), JSON.stringify(note), { mode: 0o600 });
  try {
    write();
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    mkdirSync(dirname(runDir), { recursive: true, mode: 0o700 });
    write();
  }
}

/** The note of a start; null when there is none or it is damaged. It may be claimed between two looks. */
export function readNote(runDir: string): StartNote | null {
  return readJson(notePath(runDir)) ?? readJson(unclaimedNotePath(runDir)) ?? readJson(notePath(runDir));
}

function readJson(path: string): StartNote | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as StartNote;
  } catch {
    return null;
  }
}

/**
 * Give up a start that no program has claimed. False when one had: of the two, only one gets the note, and a program
 * that does not ends before it makes anything.
 */
export function giveUp(runDir: string): boolean {
  return removed(unclaimedNotePath(runDir));
}

/** Remove the note of a start that came to nothing. */
export function removeNote(runDir: string): void {
  if (!removed(notePath(runDir))) removed(unclaimedNotePath(runDir));
}

/** Whether there was such a file. */
function removed(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** Remove the files of a start, but for its note. */
export function removeRunFiles(runDir: string): void {
  rmSync(runDir, { recursive: true, force: true });
}

/** The keeper as it noted itself, and whether it still lives. */
export function readKeeper(runDir: string): (Identity & { alive: boolean; since: Date }) | null {
  try {
    const path = join(runDir, RUN_FILES.keeper);
    const stat = parseStat(readFileSync(path, "utf8"));
    if (stat === null) return null;
    const noted = { pid: stat.pid, startTime: stat.field(22) };
    return { ...noted, alive: isAlive(noted), since: statSync(path).mtime };
  } catch {
    return null;
  }
}

/**
 * Whether a keeper has done all its steps: the last of them leaves it one capability (CAP_KILL, number 5), or with
 * wires to take back two (CAP_NET_ADMIN, number 12).
 */
export function isKeeping(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return /^CapEff:\s*0*(?:10)?20$/m.test(status);
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
