import type { ContainerConfig } from "../../wire/container.ts";

/** A health check with Docker's defaults filled in; times in milliseconds. */
export interface HealthCheck {
  /** What runs in the container. */
  readonly command: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  /** As long as the container is this young, failures do not count. */
  readonly startPeriod: number;
  /** The interval while it starts and is that young. */
  readonly startInterval: number;
  /** Failures in a row that make it unhealthy. */
  readonly retries: number;
}

/** Docker's defaults (`docker run --help`, Dockerfile reference of HEALTHCHECK). */
const INTERVAL = 30_000;
const TIMEOUT = 30_000;
const START_INTERVAL = 5_000;
const RETRIES = 3;

/** A timer of Node fires at once when asked for more milliseconds than this: some 24 days. */
const LONGEST = 2 ** 31 - 1;

/** The check of a configuration; null where there is none, it is switched off, or its kind is not known. */
export function healthCheckOf({ Healthcheck: check, Shell }: ContainerConfig): HealthCheck | null {
  const [kind, ...words] = check?.Test ?? [];
  const command = commandOf(kind, words, Shell ?? []);
  if (!check || !command || command.length === 0) return null;
  return {
    command,
    interval: milliseconds(check.Interval, INTERVAL),
    timeout: milliseconds(check.Timeout, TIMEOUT),
    startPeriod: milliseconds(check.StartPeriod, 0),
    startInterval: milliseconds(check.StartInterval, START_INTERVAL),
    retries: check.Retries && check.Retries > 0 ? check.Retries : RETRIES,
  };
}

function commandOf(
  kind: string | undefined,
  words: readonly string[],
  shell: readonly string[],
): readonly string[] | null {
  if (kind === "CMD") return words;
  if (kind === "CMD-SHELL") return [...(shell.length > 0 ? shell : ["/bin/sh", "-c"]), ...words];
  return null;
}

const milliseconds = (nanoseconds: number | undefined, otherwise: number): number =>
  nanoseconds ? Math.min(nanoseconds / 1e6, LONGEST) : otherwise;
