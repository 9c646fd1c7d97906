import type { Engine } from "../../client/request.ts";
import { ownProcess } from "./own.ts";

/**
 * What a command has of the process that it was typed in. That is this process, or the front's (`src/front`), on
 * whose behalf the engine runs the command.
 */
export interface Caller {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where relative paths begin. */
  directory(): string;
  /** All bytes, now. */
  write(fd: 1 | 2, bytes: Uint8Array): void;
  /** All bytes, while the program goes on: for streams, whose reader may be slow. */
  pour(fd: 1 | 2, bytes: Uint8Array): Promise<void>;
  /** Calls `handler` for a signal, which then does nothing else, until the returned function is called. */
  onSignal(name: NodeJS.Signals, handler: () => void): () => void;
  /** Says that the command goes on only where its files, its input and its terminal are. @throws Elsewhere if not here */
  own(): void;
  /** Set where there is no choice of an engine. */
  readonly engine?: Engine;
}

/** The command must be run by the process that it was typed in. */
export class Elsewhere extends Error {}

let find: (() => Caller | undefined) | undefined;

/** The caller of the command that runs here. */
export function caller(): Caller {
  return find?.() ?? ownProcess;
}

/** From now on this process has other callers, too. @param among which one it is at the moment, if it is one of them */
export function takeCallers(among: () => Caller | undefined): void {
  find = among;
}
