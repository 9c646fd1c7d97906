import { join } from "node:path";
import { parseOomKills } from "../../cgroup/oom.ts";
import { endFifo, type FifoReader, type FifoWriter, readFifo, writeFifo } from "../../host/fifo.ts";
import type { encodeControl, Report } from "../../plan/records.ts";
import { RUN_FILES } from "../launch/session.ts";
import type { Exit, Output, Running, Stdin } from "../launcher.ts";
import { formatTime } from "../time.ts";
import { tellKeeper } from "./control.ts";
import { type Identity, readKeeper } from "./note.ts";

/** A start whose workload runs, before its FIFOs are opened. */
export interface Started {
  readonly id: string;
  readonly runDir: string;
  readonly pid: number;
  readonly keeper: number;
  readonly startedAt: string;
  readonly terminal: boolean;
  readonly stdin: boolean;
  readonly exited: Promise<Exit>;
  /** Called once, after `release`. */
  readonly released: () => void;
  /**
   * Called when the keeper may be gone, as its streams ended or it took no order. Nobody else tells the engine
   * that a keeper was killed which is not the engine's child.
   */
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

/** Open the streams of a container whose keeper is there. */
export function openRunning(started: Started): Running {
  const { id, runDir, pid, startedAt, terminal } = started;
  const names = terminal ? (["stdout"] as const) : (["stdout", "stderr"] as const);
  const readers = names.map((stream) => ({ stream, fifo: readFifo(join(runDir, RUN_FILES[stream])) }));
  const input = started.stdin ? openStdin(runDir, terminal) : null;
  let released = false;
  const tell = (...order: Parameters<typeof encodeControl>) => {
    if (!tellKeeper(runDir, ...order)) started.gone?.();
  };
  void started.exited.then(() => {
    for (const stream of names) endFifo(join(runDir, RUN_FILES[stream]));
  });
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
    outputs: readers.map(
      ({ stream, fifo }): Output => ({
        stream,
        read: started.gone === undefined ? fifo.stream : noticed(fifo.stream, started.gone),
      }),
    ),
    resize: (rows, columns) => tell("resize", rows, columns),
    signal: (signal) => tell("signal", signal),
    release() {
      if (released) return;
      released = true;
      input?.forget();
      for (const { fifo } of readers) void (fifo satisfies FifoReader).close();
      started.released();
    },
    exited: started.exited,
  };
}

/** The same bytes, and a call at their end. */
function noticed(source: ReadableStream<Uint8Array>, ended: () => void): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
        ended();
      },
      cancel: () => reader.cancel(),
    },
    { highWaterMark: 0 },
  );
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
