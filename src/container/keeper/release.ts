import { tellKeeper } from "./control.ts";
import type { StartNote } from "./note.ts";
import type { Reports } from "./reports.ts";

/** How long a released keeper may take to undo what it made. */
const PATIENCE_MS = 2000;

/** Tell a keeper that it is not needed any more. Resolves when it has undone what it made, or is not there. */
export function released(reports: Reports, runDir: string, note: StartNote): Promise<void> {
  return new Promise((resolve) => {
    if (!tellKeeper(runDir, "release")) return resolve();
    const late = setTimeout(resolve, PATIENCE_MS);
    reports.listen(note.token, (report) => {
      if (report.kind !== "gone") return;
      clearTimeout(late);
      resolve();
    });
  });
}
