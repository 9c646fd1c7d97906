import { type HealthCheck, healthCheckOf } from "../../container/health/check.ts";
import { afterProbe, starting, untilNext, unwatched } from "../../container/health/state.ts";
import type { HealthResult } from "../../wire/inspect.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { tell } from "./tell.ts";

/** A container's checks go on until this ends them. */
export interface HealthWatch {
  end(): void;
}

/** A container has just started: its health is unknown. Containers without a check cost nothing. */
export function beginHealth(context: Context, container: Container): void {
  if (!healthCheckOf(container.record.config)) return;
  const { state } = container.record;
  state.health = starting(state.health);
  watchHealth(context, container);
}

/** Checks go on: after a pause, or in a new engine, which knows how the container was. */
export function watchHealth(context: Context, container: Container): void {
  const check = healthCheckOf(container.record.config);
  if (!check) return;
  container.health?.end();
  const { state } = container.record;
  state.health ??= starting(undefined);
  container.health = watch(context, container, check);
}

/** Nobody probes any more: it is paused or has ended. */
export function endHealth(container: Container): void {
  if (!container.health) return;
  container.health.end();
  container.health = null;
  const { state } = container.record;
  if (state.health) state.health = unwatched(state.health);
}

/** One timer at a time: to the next probe, or to the end of the one that runs. */
function watch(context: Context, container: Container, check: HealthCheck): HealthWatch {
  const over = new AbortController();
  const { state } = container.record;
  const started = Date.parse(state.startedAt);
  let timer: NodeJS.Timeout;

  const judge = (result: HealthResult): void => {
    if (over.signal.aborted) return;
    const before = state.health ?? starting(undefined);
    const after = afterProbe(before, result, check, Date.parse(result.Start) - started);
    state.health = after;
    context.store.saveSoon(container.record);
    if (after.Status !== before.Status) tell(context, container.record, `health_status: ${after.Status}`);
    next();
  };
  const next = (): void => {
    const wait = untilNext(check, state.health?.Status ?? "starting", Date.now() - started);
    timer = setTimeout(() => void context.follow.probe(container, check, over.signal).then(judge), wait);
  };
  next();
  return {
    end() {
      clearTimeout(timer);
      over.abort();
    },
  };
}
