import type { RestartPolicy } from "../wire/container.ts";

/** Docker's back-off: 100 ms, doubled with each restart up to a minute, back to 100 ms after 10 s of running. */
const FIRST = 100;
const LONGEST = 60_000;
const HEALTHY = 10_000;

export interface RestartFacts {
  readonly policy: RestartPolicy | undefined;
  readonly exitCode: number;
  /** `stop` or `kill` was asked for since the start. */
  readonly manuallyStopped: boolean;
  /** Restarts so far. */
  readonly restartCount: number;
}

/** Whether a container that has just ended is started again. */
export function shouldRestart({ policy, exitCode, manuallyStopped, restartCount }: RestartFacts): boolean {
  if (manuallyStopped) return false;
  switch (policy?.Name ?? "") {
    case "always":
    case "unless-stopped":
      return true;
    case "on-failure": {
      const limit = policy?.MaximumRetryCount ?? 0;
      return exitCode !== 0 && (limit === 0 || restartCount < limit);
    }
    case "no":
    case "":
      return false;
  }
}

/** Whether an engine that starts should start a container that is down. */
export function shouldStartWithEngine({
  policy,
  exitCode,
  manuallyStopped,
  restartCount,
  wasUp,
}: RestartFacts & { readonly wasUp: boolean }): boolean {
  switch (policy?.Name ?? "") {
    case "always":
      return true;
    case "unless-stopped":
      return !manuallyStopped;
    case "on-failure":
      return wasUp && shouldRestart({ policy, exitCode, manuallyStopped, restartCount });
    case "no":
    case "":
      return false;
  }
}

/** Milliseconds to wait before the next start. @param ran how long the container ran, in milliseconds */
export function nextDelay(previous: number, ran: number): number {
  if (previous === 0 || ran >= HEALTHY) return FIRST;
  return Math.min(previous * 2, LONGEST);
}

/** @returns one sentence that says what is wrong with a policy, null when it is fine */
export function badPolicy(policy: RestartPolicy | undefined, autoRemove: boolean): string | null {
  const name: string = policy?.Name ?? "";
  const count = policy?.MaximumRetryCount ?? 0;
  if (!["", "no", "always", "unless-stopped", "on-failure"].includes(name)) {
    return `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`;
  }
  if (!Number.isInteger(count) || count < 0) {
    return "invalid restart policy: maximum retry count cannot be negative";
  }
  if (count > 0 && name !== "on-failure") {
    return "invalid restart policy: maximum retry count can only be used with 'on-failure'";
  }
  if (autoRemove && name !== "" && name !== "no") {
    return "can't create 'AutoRemove' container with restart policy";
  }
  return null;
}
