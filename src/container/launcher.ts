import type { Endpoint } from "../network/endpoint.ts";
import type { Plan } from "../plan/step.ts";
import type { TraceStep } from "../wire/trace.ts";
/**
 * What the engine asks of whoever turns a runtime configuration into a running container. The engine knows
 * nothing of plans, programs or keepers beyond this file; `src/container/launch` implements it.
 */

export type Rootfs = import("../storage/driver.ts").Rootfs;

/** An OCI runtime configuration; the launcher reads it, the engine only hands it over. */
export type RuntimeSpec = import("../oci/runtime/spec.ts").RuntimeSpec;
export type RuntimeProcess = import("../oci/runtime/spec.ts").Process;

export interface LaunchRequest {
  readonly id: string;
  /** Of this start; made by the launcher, removed by `release`. */
  readonly runDir: string;
  readonly spec: RuntimeSpec;
  /** JSON pointer of a part of `spec` → the option that caused it, as typed. */
  readonly origins: ReadonlyMap<string, string>;
  readonly rootfs: Rootfs;
  /** Keep a standard input open for writing; without it the process reads `/dev/null`. */
  readonly stdin: boolean;
  /** Record the time and result of each step into `trace` in the run directory. */
  readonly trace: boolean;
  /** Where the container's own network namespace is wired to; the first interface first. */
  readonly endpoints?: readonly Endpoint[];
  /** The keeper's helper runs as pid 1, forwards signals and reaps (`--init`). */
  readonly init: boolean;
  /** Of a configuration that comes from an OCI bundle; the engine's own have none. */
  readonly bundle?: import("./launch/hooks.ts").Bundle;
}

export interface ExecRequest {
  readonly id: string;
  readonly runDir: string;
  readonly container: Running;
  readonly process: RuntimeProcess;
  readonly stdin: boolean;
  /** The policy of the container; absent for a privileged process. */
  readonly seccomp?: import("../oci/runtime/seccomp.ts").Seccomp;
  /** JSON pointer of a part of `process` → option, as in `LaunchRequest`. */
  readonly origins: ReadonlyMap<string, string>;
}

export interface Exit {
  /** As a shell reports it: the exit code, or 128 + the signal's number. */
  readonly code: number;
  readonly signal: number | null;
  /** RFC 3339 with nanoseconds, UTC. */
  readonly at: string;
  readonly oomKilled: boolean;
}

export interface Output {
  readonly stream: "stdout" | "stderr";
  /** Ends when the container has ended and everything it wrote has been read. Not reading stops the writer. */
  readonly read: ReadableStream<Uint8Array>;
}

export interface Stdin {
  /** Resolves when the bytes are in the kernel's pipe: awaiting it is the back-pressure. Rejects with EPIPE. */
  write(chunk: Uint8Array): Promise<void>;
  /** The process reads end of file (a terminal: nothing happens). May be called twice. */
  close(): void;
}

/** A live keeper and its process. */
export interface Running {
  readonly id: string;
  readonly runDir: string;
  /** The container's first process, in the host's pid namespace. */
  readonly pid: number;
  readonly keeper: { readonly pid: number; readonly startTime: string };
  /** RFC 3339 with nanoseconds, UTC. */
  readonly startedAt: string;
  readonly stdin: Stdin | null;
  /** Stdout and stderr; with a terminal stdout only. */
  readonly outputs: readonly Output[];
  resize(rows: number, columns: number): void;
  /** Asks the keeper to signal its child; nothing happens when that has ended. */
  signal(signal: number): void;
  /** The last thing the engine does with it, after `exited` and the end of the outputs. */
  release(): void;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
}

/** A process that ended while no engine listened. `leftovers` is output that no engine has read yet. */
export interface Ended {
  readonly exited: Exit;
  readonly startedAt: string | null;
  readonly leftovers: readonly { readonly stream: "stdout" | "stderr"; readonly bytes: Uint8Array }[];
  /** Removes the run directory, once the leftovers are safe. */
  release(): void;
}

export interface Launcher {
  /** Resolves once the workload's `execve` has happened. Rejects with a `StepError`; nothing is left then. */
  start(request: LaunchRequest): Promise<Running>;
  exec(request: ExecRequest): Promise<Running>;
  /** Finds what an earlier engine left in a run directory; null when there is nothing of use in it. */
  adopt(id: string, runDir: string): Promise<Running | Ended | null>;
  /**
   * The plan of a start in one of its forms, without doing it: words, a shell script, or JSON.
   * @param before what the engine would have to do first
   */
  explain(request: LaunchRequest, form: "explain" | "script" | "json", before?: readonly Plan[]): string;
  /** The steps of the start that was made with `trace`; null when it was not. */
  trace(runDir: string): Promise<readonly TraceStep[] | null>;
}

/** Tells a live keeper from an exit record. */
export const isEnded = (found: Running | Ended): found is Ended => "leftovers" in found;
