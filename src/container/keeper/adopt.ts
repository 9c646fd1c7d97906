import { existsSync } from "node:fs";
import { join } from "node:path";
import { killAll } from "../../cgroup/kill.ts";
import type { Layout } from "../../cgroup/layout.ts";
import { endOfFifo } from "../../host/fifo.ts";
import { type Identity, isAlive } from "../../kernel/process.ts";
import { RUN_FILES } from "../launch/session.ts";
import type { Ended, Running } from "../launcher.ts";
import { formatTime } from "../time.ts";
import { tellKeeper, tellTaken } from "./control.ts";
import { follow, readExit, untilKeeping } from "./follow.ts";
import { giveUp, oldestChild, readKeeper, readNote, removeNote, removeRunFiles } from "./note.ts";
import { createOutlet, type Outlet } from "./outlet.ts";
import type { Removals } from "./release.ts";
import type { Reports } from "./reports.ts";
import { createRunning, exitOf } from "./running.ts";

/** How soon a process that has closed its files is looked at again. */
const DYING_MS = 20;
/** How long a keeper may take to answer before it is looked for. */
const PATIENCE_MS = 1000;

export interface Adopter {
  readonly reports: Reports;
  readonly layout: Layout;
  readonly removals: Removals;
}

/** Finds what an earlier engine left in a run directory; null when there is nothing of use in it. */
export async function adopt(
  { layout, removals, reports }: Adopter,
  id: string,
  runDir: string,
): Promise<Running | Ended | null> {
  const note = readNote(runDir);
  if (note === null) {
    if (readKeeper(runDir)?.alive !== true) removeRunFiles(runDir);
    removeNote(runDir);
    return null;
  }
  const release = () => removals.begin(runDir, note);
  // A start whose program has not claimed it will not be.
  if (!giveUp(runDir)) await untilKeeping(reports, runDir, note.token);
  const ended = readEnd(runDir, note.terminal, release);
  const keeper = readKeeper(runDir);
  const pid = keeper?.alive === true ? oldestChild(keeper.pid) : null;
  const runs = ended === null && keeper !== null && pid !== null;
  if (!runs && (ended === null || !note.ownPids) && note.cgroupDirectories.length > 0)
    await killAll(layout, note.cgroup);
  if (ended !== null) return ended;
  if (!runs) {
    release();
    return null;
  }
  const tell = (stream: number, offset: number) => {
    if (!tellTaken(runDir, stream, offset)) gone();
  };
  const outlet = createOutlet(runDir, note.terminal, true, tell);
  const following = follow(reports, layout, runDir, note, outlet);
  // A process that dies closes its files first: it is looked at again until its end is known in one way or the other.
  const gone = () => {
    if (!isAlive(keeper)) following.vanished();
    else if (!following.isOver()) setTimeout(gone, DYING_MS);
  };
  // The exit may have been written between the look and the listening; nobody reports it twice.
  if (existsSync(join(runDir, RUN_FILES.exit)) || !isAlive(keeper)) following.vanished();
  else attend(runDir, keeper, following.attended, gone);
  return createRunning({
    id,
    runDir,
    pid,
    keeper: keeper.pid,
    startedAt: formatTime(BigInt(keeper.since.getTime()) * 1_000_000n),
    terminal: note.terminal,
    stdin: note.stdin,
    exited: following.exited,
    outlet,
    released: release,
    gone,
  });
}

/** The end of a start whose exit record is there; null when there is none. Its output is in files. */
function readEnd(runDir: string, terminal: boolean, release: () => void): Ended | null {
  const report = readExit(runDir);
  if (report === null) return null;
  const keeper = readKeeper(runDir);
  const outlet: Outlet = createOutlet(runDir, terminal, true, () => undefined);
  outlet.ended(null);
  return {
    exited: exitOf(report),
    startedAt: keeper === null ? null : formatTime(BigInt(keeper.since.getTime()) * 1_000_000n),
    drain: (sink) => outlet.drain(sink),
    release() {
      outlet.close();
      release();
    },
  };
}

/**
 * Have the keeper hold a FIFO open for us: nobody else tells an engine that a process was killed which is not its
 * child. `attended` resolves when it does so.
 */
function attend(runDir: string, keeper: Identity, attended: Promise<void>, gone: () => void): void {
  if (!tellKeeper(runDir, "attend")) {
    gone();
    return;
  }
  const late = setTimeout(() => {
    if (!isAlive(keeper)) gone();
  }, PATIENCE_MS);
  void attended.then(async () => {
    clearTimeout(late);
    const path = join(runDir, RUN_FILES.alive);
    if (!existsSync(path)) return;
    await endOfFifo(path).catch(() => undefined);
    gone();
  });
}
