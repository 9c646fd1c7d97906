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
  /** Nothing of the host's is mounted in it: the end of its mounts need not be waited for. */
  readonly ownMounts?: boolean;
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

export type StreamName = "stdout" | "stderr";

/** Where the output of a process goes. */
export interface Sink {
  /**
   * Takes a chunk, which is only valid during the call. A promise makes the stream wait, up to the end of the
   * process: what is left then comes at once.
   */
  write(stream: StreamName, chunk: Uint8Array): Promise<unknown> | undefined;
  /** What knows how much it has got, so that nothing is lost or comes twice when another engine goes on. */
  readonly journal?: Journal | null;
}

/** How much of a stream a journal has. */
export interface Position {
  /** Bytes at the end of what it was given that are in its memory only. */
  readonly held: number;
  /** Its file and the size of that; 0 where there is none. */
  readonly inode: number;
  readonly size: number;
}

/** A position that an earlier engine noted, and what came on the stream after it. */
export interface Resumed extends Position {
  readonly stream: StreamName;
  readonly bytes: Uint8Array;
}

export interface Journal {
  position(stream: StreamName): Position;
  /** How many of the bytes after each position it has already. Called before the first `write`. */
  resume(streams: readonly Resumed[]): readonly number[];
  /** Set by whoever notes positions; called in the middle of a `write` before an older file is moved or goes. */
  moving: (() => void) | null;
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
  /**
   * Gives all output to `sink`, null where nobody wants it. Nothing is read before; not reading stops the writer.
   * Called once. Resolves when the process has ended and its output is through, or when whoever else holds the
   * pipe has had some seconds. Never rejects.
   */
  drain(sink: Sink | null): Promise<void>;
  resize(rows: number, columns: number): void;
  /** Asks the keeper to signal its child; nothing happens when that has ended. */
  signal(signal: number): void;
  /** The last thing the engine does with it, after `drain`. */
  release(): void;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
}

/** A process that ended while no engine listened. */
export interface Ended {
  readonly exited: Exit;
  readonly startedAt: string | null;
  /** As of a running one. */
  drain(sink: Sink | null): Promise<void>;
  /** Removes the run directory, once the output is safe. */
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
export const isEnded = (found: Running | Ended): found is Ended => !("pid" in found);
