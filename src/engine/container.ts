import type { Hub } from "../container/hub.ts";
import type { ExecId } from "../container/id.ts";
import type { Running } from "../container/launcher.ts";
import type { LogOptions } from "../container/logs/options.ts";
import type { LogWriter } from "../container/logs/writer.ts";
import type { ContainerRecord } from "../container/record.ts";
import type { HealthWatch } from "./containers/health.ts";

export type WaitCondition = "not-running" | "next-exit" | "removed";

export interface Waiter {
  readonly condition: WaitCondition;
  resolve(exitCode: number): void;
}

/** Somebody's standard input, given to the container's process from its next start on. */
export interface StdinSource {
  /** Pumps until the source or the process ends. */
  feed(running: Running): void;
}

/**
 * A container in the engine's memory. There are hundreds: what few of them need is null until it is needed.
 */
export interface Container {
  readonly record: ContainerRecord;
  readonly logOptions: LogOptions;
  /** The live process; null when none is. */
  running: Running | null;
  log: LogWriter | null;
  hub: Hub | null;
  /** Attached before the start. */
  stdin: StdinSource[] | null;
  waiters: Set<Waiter> | null;
  execs: Set<ExecId> | null;
  /** Runs its health checks. */
  health: HealthWatch | null;
  /** Resolves after everything about the current start's end is done. */
  ended: Promise<void> | null;
  /** What is being done to it; the next request of that kind waits. */
  busy: Promise<unknown> | null;
  restart: { readonly timer: NodeJS.Timeout } | null;
  /** Milliseconds of the last wait before a restart. */
  delay: number;
  /** `stop`, `kill` or `rm -f` is at work: whatever the policy says, the next exit is the last. */
  exitOnNext: boolean;
}

/** A container of which nothing runs. */
export function newContainer(record: ContainerRecord, logOptions: LogOptions): Container {
  return {
    record,
    logOptions,
    running: null,
    log: null,
    hub: null,
    stdin: null,
    waiters: null,
    execs: null,
    health: null,
    ended: null,
    busy: null,
    restart: null,
    delay: 0,
    exitOnNext: false,
  };
}

/** One after the other: start, restart, remove and the like of one container never overlap. */
export async function serially<T>(container: Container, work: () => Promise<T>): Promise<T> {
  while (container.busy) await container.busy;
  const working = work();
  const marker = working.catch(() => undefined);
  container.busy = marker;
  try {
    return await working;
  } finally {
    if (container.busy === marker) container.busy = null;
  }
}
