import type { Docker } from "./api.ts";
import type { Peers } from "./peers.ts";

/** What a row is given to measure with. */
export interface Bench {
  /** cais, when it is built and its engine starts. */
  readonly cais: CaisUnderTest | undefined;
  readonly peers: Peers;
  /** Rounds per measurement: 20 at least, fewer when asked to be quick. */
  readonly runs: number;
  readonly quick: boolean;
}

/** The built executable and its engine. */
export interface CaisUnderTest {
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  readonly api: Docker;
  readonly pid: () => number;
}

/** One line of the table. */
export interface Line {
  readonly what: string;
  readonly unit: "ms" | "µs" | "KiB" | "per s" | "Gbit/s";
  /** Value by contender; one that is absent is a dash. */
  readonly values: ReadonlyMap<string, number>;
  readonly targets: readonly Target[];
}

/** A promise of the project about a line; `value` is undefined where it could not be measured. */
export interface Target {
  readonly name: string;
  readonly value: number | undefined;
  readonly limit: number;
  readonly sense: "at least" | "at most";
}

/** A measurement, found by its name on the command line. */
export interface Row {
  readonly name: string;
  readonly measure: (bench: Bench) => Promise<Line[]>;
}

/** How many times faster than a peer cais must be. */
export function faster(values: ReadonlyMap<string, number>, peer: string, times: number): Target {
  return { name: `${peer}/cais`, value: quotient(values, peer, "cais"), limit: times, sense: "at least" };
}

/** How many times a peer's value cais may take. */
export function within(values: ReadonlyMap<string, number>, peer: string, times: number): Target {
  return { name: `cais/${peer}`, value: quotient(values, "cais", peer), limit: times, sense: "at most" };
}

function quotient(values: ReadonlyMap<string, number>, over: string, under: string): number | undefined {
  const [a, b] = [values.get(over), values.get(under)];
  return a === undefined || b === undefined ? undefined : a / b;
}
