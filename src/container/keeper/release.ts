import { existsSync } from "node:fs";
import type { Layout } from "../../cgroup/layout.ts";
import { remove as removeCgroup } from "../../cgroup/remove.ts";
import { tellKeeper } from "./control.ts";
import { removeNote, removeRunFiles, type StartNote } from "./note.ts";
import type { Reports } from "./reports.ts";

/** How long a released keeper may take to undo what it made. */
const PATIENCE_MS = 2000;

/** Starts on their way out. */
export interface Removals {
  /** The keeper undoes what it made; what is left after that, or without a keeper, is swept. */
  begin(runDir: string, note: StartNote): void;
  /** Resolves when nothing of an earlier start is left there: the next one waits for that. */
  done(runDir: string): Promise<void> | undefined;
  /** Resolves when nothing of any earlier start is left. */
  all(): Promise<unknown>;
}

/** Nothing is being removed yet. */
export function createRemovals(reports: Reports, layout: Layout): Removals {
  const removals = new Map<string, Promise<void>>();
  return {
    begin(runDir, note) {
      const removal = released(reports, runDir, note).then(async () => {
        reports.forget(note.token);
        if (existsSync(runDir)) removeRunFiles(runDir);
        // What was still dying when the keeper came by keeps some of them.
        if (note.cgroupDirectories.some((directory) => existsSync(directory)))
          await removeCgroup(layout, note.cgroup).catch(() => undefined);
        // The note goes last: while there is one, a later engine clears up what this one did not get to.
        removeNote(runDir);
        removals.delete(runDir);
      });
      removals.set(runDir, removal);
    },
    done: (runDir) => removals.get(runDir),
    all: () => Promise.all(removals.values()),
  };
}

/** Tell a keeper that it is not needed any more. Resolves when it has undone what it made, or is not there. */
function released(reports: Reports, runDir: string, note: StartNote): Promise<void> {
  return new Promise((resolve) => {
    let late: ReturnType<typeof setTimeout> | undefined;
    // One that takes orders is there and at it: taking mounts apart may wait for a busy disk.
    const ask = () => {
      if (tellKeeper(runDir, "release")) late = setTimeout(ask, PATIENCE_MS);
      else resolve();
    };
    ask();
    if (late === undefined) return;
    reports.listen(note.token, (report) => {
      if (report.kind !== "gone") return;
      clearTimeout(late);
      resolve();
    });
  });
}
