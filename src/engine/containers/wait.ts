import { isUp } from "../../container/lifecycle.ts";
import type { Container, WaitCondition, Waiter } from "../container.ts";

export interface Waiting {
  /** The exit code. */
  readonly done: Promise<number>;
  /** Nobody waits any more. */
  cancel(): void;
}

/** Begins to wait at once: what happens right after the call is not missed. */
export function wait(container: Container, condition: WaitCondition): Waiting {
  const { state } = container.record;
  if (condition === "not-running" && !isUp(state.status)) {
    return { done: Promise.resolve(state.exitCode), cancel: () => undefined };
  }
  let waiter: Waiter | null = null;
  const done = new Promise<number>((resolve) => {
    waiter = { condition, resolve };
    container.waiters ??= new Set();
    container.waiters.add(waiter);
  });
  return {
    done,
    cancel() {
      if (waiter) container.waiters?.delete(waiter);
    },
  };
}

/** Tells those whose condition has come. */
export function wake(container: Container, happened: ReadonlySet<WaitCondition>): void {
  if (!container.waiters) return;
  for (const waiter of [...container.waiters]) {
    if (!happened.has(waiter.condition)) continue;
    container.waiters.delete(waiter);
    waiter.resolve(container.record.state.exitCode);
  }
  if (container.waiters.size === 0) container.waiters = null;
}
