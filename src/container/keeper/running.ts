import { join } from "node:path";
import { parseOomKills } from "../../cgroup/oom.ts";
import { type FifoWriter, writeFifo } from "../../host/fifo.ts";
import type { Identity } from "../../kernel/process.ts";
import type { encodeControl, Report } from "../../plan/records.ts";
import { RUN_FILES } from "../launch/session.ts";
import type { Exit, Running, Stdin } from "../launcher.ts";
import { formatTime } from "../time.ts";
import { tellKeeper } from "./control.ts";
import { readKeeper } from "./note.ts";
import type { Outlet } from "./outlet.ts";

/** A start whose workload runs. */
export interface Started {
  readonly id: string;
  readonly runDir: string;
  readonly pid: number;
  readonly keeper: number;
  readonly startedAt: string;
  readonly terminal: boolean;
  readonly stdin: boolean;
  readonly exited: Promise<Exit>;
  readonly outlet: Outlet;
  /** Called once, after `release`. */
  readonly released: () => void;
  /** Called when the keeper may be gone, as it took no order. */
  readonly gone?: () => void;
}

/** What a keeper's exit report says, in the engine's words. */
export function exitOf(report: Extract<Report, { kind: "exited" }>): Exit {
  // wait(2): the low seven bits are a signal's number; without one, the next byte is the exit code.
  const signal = report.status & 0x7f;
  return {
    code: signal === 0 ? (report.status >> 8) & 0xff : 128 + signal,
    signal: signal === 0 ? null : signal,
    at: formatTime(report.time),
    oomKilled: parseOomKills(report.oom) > 0,
  };
}

/** Rows and columns that a terminal can have (TIOCSWINSZ(2const), `struct winsize`). */
const MOST_CELLS = 0xffff;

/** A container whose keeper is there. */
export function createRunning(started: Started): Running {
  const { exited, id, outlet, pid, runDir, startedAt, terminal } = started;
  const input = started.stdin ? openStdin(runDir, terminal) : null;
  let released = false;
  const tell = (...order: Parameters<typeof encodeControl>) => {
    if (!tellKeeper(runDir, ...order)) started.gone?.();
  };
  return {
    id,
    runDir,
    pid,
    get keeper(): Identity {
      const { startTime = "" } = readKeeper(runDir) ?? {};
      return { pid: started.keeper, startTime };
    },
    startedAt,
    stdin: input,
    drain: (sink) => outlet.drain(sink),
    resize: (rows, columns) => tell("resize", Math.min(rows, MOST_CELLS), Math.min(columns, MOST_CELLS)),
    signal: (signal) => tell("signal", signal),
    release() {
      if (released) return;
      released = true;
      input?.forget();
      outlet.close();
      started.released();
    },
    exited,
  };
}

/** Opened when first written to: most containers never are. */
function openStdin(runDir: string, terminal: boolean): Stdin & { forget(): void } {
  let fifo: FifoWriter | null = null;
  let closed = false;
  const forget = () => {
    closed = true;
    fifo?.close();
    fifo = null;
  };
  return {
    async write(chunk) {
      if (closed) throw Object.assign(new Error("Cannot write: standard input is closed"), { code: "EPIPE" });
      fifo ??= writeFifo(join(runDir, RUN_FILES.stdin));
      await fifo.write(chunk);
    },
    close() {
      if (closed || terminal) return;
      forget();
      tellKeeper(runDir, "closeStdin");
    },
    forget,
  };
}
