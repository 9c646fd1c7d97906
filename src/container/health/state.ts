import type { Health, HealthResult } from "../../wire/inspect.ts";
import type { HealthCheck } from "./check.ts";

/** How many results are kept. */
const REMEMBERED = 5;
/** Bytes of a probe's output that are kept; Docker writes `...` after what it cut. */
export const MAX_OUTPUT = 4096;

/** What a start begins with; results of the last run stay visible, as in Docker. */
export const starting = (before: Health | undefined): Health => ({
  Status: "starting",
  FailingStreak: 0,
  Log: before?.Log ?? [],
});

/** Nobody probes (paused, ended): Docker calls that unhealthy, without an event. */
export const unwatched = (before: Health): Health => ({ ...before, Status: "unhealthy" });

/** The state after one more result. @param age milliseconds from the container's start to the probe's */
export function afterProbe(before: Health, result: HealthResult, check: HealthCheck, age: number): Health {
  const Log = [...(before.Log ?? []), result].slice(-REMEMBERED);
  if (result.ExitCode === 0) return { Status: "healthy", FailingStreak: 0, Log };
  if (before.Status === "starting" && age < check.startPeriod) return { ...before, Log };
  const FailingStreak = before.FailingStreak + 1;
  return { Status: FailingStreak >= check.retries ? "unhealthy" : before.Status, FailingStreak, Log };
}

/** Milliseconds to the next probe. @param age of the container, in milliseconds */
export const untilNext = (check: HealthCheck, status: Health["Status"], age: number): number =>
  status === "starting" && age < check.startPeriod ? check.startInterval : check.interval;
