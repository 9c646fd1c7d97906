import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeReport } from "../../plan/records.ts";
import { RUN_FILES } from "../launch/session.ts";
import type { Ended } from "../launcher.ts";
import { formatTime } from "../time.ts";
import { tellKeeper } from "./control.ts";
import { isAlive, readKeeper } from "./note.ts";
import type { Reports } from "./reports.ts";
import { exitOf } from "./running.ts";

/** How long a keeper may take to save a few pages before it is looked for again. */
const PATIENCE_MS = 1000;

/**
 * The end of a start whose exit record is there; null when there is none. Output that nobody read is saved by
 * the keeper first: two readers of one FIFO would mix it up.
 */
export async function readEnd(
  runDir: string,
  token: string,
  reports: Reports,
  release: () => void,
): Promise<Ended | null> {
  if (!existsSync(join(runDir, RUN_FILES.exit))) return null;
  const keeper = readKeeper(runDir);
  if (keeper?.alive === true) await saved(runDir, token, reports, () => isAlive(keeper));
  const report = decodeReport(readFileSync(join(runDir, RUN_FILES.exit)));
  if (report?.kind !== "exited") return null;
  const leftovers = (["stdout", "stderr"] as const).flatMap((stream) => {
    const path = join(runDir, `${RUN_FILES[stream]}.rest`);
    return existsSync(path) ? [{ stream, bytes: new Uint8Array(readFileSync(path)) }] : [];
  });
  return {
    exited: exitOf(report),
    startedAt: keeper === null ? null : formatTime(BigInt(keeper.since.getTime()) * 1_000_000n),
    leftovers: leftovers.filter(({ bytes }) => bytes.length > 0),
    release,
  };
}

/** Ask the keeper to save and wait until it says that it has, or is gone. */
function saved(runDir: string, token: string, reports: Reports, alive: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const done = () => {
      clearTimeout(timer);
      reports.forget(token);
      resolve();
    };
    // It may have said so just before anybody listened.
    const look = () => {
      if (alive() && tellKeeper(runDir, "save")) timer = setTimeout(look, PATIENCE_MS);
      else done();
    };
    reports.listen(token, (report) => {
      if (report.kind === "gone") done();
    });
    look();
  });
}
