import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { killAll } from "../../cgroup/kill.ts";
import type { Layout } from "../../cgroup/layout.ts";
import { decodeReport, type Report } from "../../plan/records.ts";
import { RUN_FILES } from "../launch/session.ts";
import type { Exit } from "../launcher.ts";
import { now } from "../time.ts";
import { isKeeping, readKeeper, type StartNote } from "./note.ts";
import type { Outlet } from "./outlet.ts";
import type { Reports } from "./reports.ts";
import { exitOf } from "./running.ts";

/** How long a report may be on its way when its sender has ended already. */
const PATIENCE_MS = 1000;

/** What is heard first of a start; `lost` when its program ended and said nothing. */
export type First =
  | Extract<Report, { kind: "started" | "failed" }>
  | { readonly kind: "lost"; readonly code: number | null };

/** The reports of one start. */
export interface Following {
  /** Never rejects. */
  readonly first: Promise<First>;
  /** Never rejects; of a start that came to nothing it never resolves. */
  readonly exited: Promise<Exit>;
  /** Resolves once the keeper holds `alive` open, or has ended; never rejects. */
  readonly attended: Promise<void>;
  /** Resolves when `programEnded` was called. */
  readonly gone: Promise<void>;
  /** To be called when the launch program, which is the keeper, has ended. */
  programEnded(code: number | null): void;
  /** To be called when the keeper is not there any more: what it has written, or else that it was killed. */
  vanished(): void;
  /** Whether the exit is known. */
  isOver(): boolean;
}

/** Follow the reports of one start: the first decides whether it runs, the last is its exit. */
export function follow(
  reports: Reports,
  layout: Layout,
  runDir: string,
  note: StartNote,
  outlet: Outlet,
): Following {
  const first = Promise.withResolvers<First>();
  const exited = Promise.withResolvers<Exit>();
  const gone = Promise.withResolvers<void>();
  const attended = Promise.withResolvers<void>();
  let started = false;
  let over = false;
  let isGone = false;
  const end = (report: ExitReport | null, kill: boolean) => {
    if (over) return;
    over = true;
    outlet.ended(report);
    attended.resolve();
    const exit: Exit =
      report === null ? { code: 137, signal: 9, at: now(), oomKilled: false } : exitOf(report);
    if (!kill || note.cgroupDirectories.length === 0) exited.resolve(exit);
    else void killAll(layout, note.cgroup).finally(() => exited.resolve(exit));
  };
  const vanished = () => {
    if (over) return;
    const report = readExit(runDir);
    // The first process died with its keeper (PR_SET_PDEATHSIG), unless it is one that clears that.
    end(report, report === null || !note.ownPids);
  };
  reports.listen(note.token, (report) => {
    // In a shared pid namespace the others live on; the container is its first process (runc, "kill --all").
    if (report.kind === "output") {
      outlet.written(report);
      if (report.attending) attended.resolve();
    }
    if (report.kind === "exited") end(report, !note.ownPids);
    if (report.kind === "failed") first.resolve(report);
    if (report.kind !== "started") return;
    started = true;
    first.resolve(report);
    if (isGone) vanished();
  });
  return {
    first: first.promise,
    exited: exited.promise,
    attended: attended.promise,
    gone: gone.promise,
    vanished,
    isOver: () => over,
    programEnded(code) {
      isGone = true;
      gone.resolve();
      if (started) vanished();
      else setTimeout(() => first.resolve({ kind: "lost", code }), PATIENCE_MS).unref();
    },
  };
}

export type ExitReport = Extract<Report, { kind: "exited" }>;

/** The exit that a keeper wrote down, null when there is none. */
export function readExit(runDir: string): ExitReport | null {
  const path = join(runDir, RUN_FILES.exit);
  const report = existsSync(path) ? decodeReport(readFileSync(path)) : null;
  return report?.kind === "exited" ? report : null;
}

/**
 * Wait while a launch that an earlier engine began is under way: until its keeper says how it went, keeps the
 * container, or is gone.
 */
export async function untilKeeping(reports: Reports, runDir: string, token: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const keeper = readKeeper(runDir);
    if (keeper === null ? tries > 0 : !keeper.alive || isKeeping(keeper.pid)) return;
    const heard = await new Promise<boolean>((resolve) => {
      // It may have said so just before anybody listened.
      const timer = setTimeout(() => resolve(false), PATIENCE_MS);
      reports.listen(token, () => {
        clearTimeout(timer);
        resolve(true);
      });
    });
    reports.forget(token);
    if (heard) return;
  }
}
