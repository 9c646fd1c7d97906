import type { Context } from "./context.ts";
import type { Flags, Values } from "./flags/flag.ts";

/** One command: its grammar, its help, and what it does. One file each in `commands`. */
export interface Command<F extends Flags> {
  /** As typed after `cais`: `run`, `volume create`. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** What follows the name in the usage line. */
  readonly usage: string;
  readonly summary: string;
  /** More than the summary, for `--help`. */
  readonly details?: string;
  readonly flags: F;
  /** How many arguments there may be: at least, at most. */
  readonly args: readonly [number, number];
  /** Everything from the first argument on belongs to the container. */
  readonly stopAtFirst?: boolean;
  /**
   * Whether it needs the process that it was typed in, for its files, its input or its terminal. Others can be run
   * by the engine on behalf of that process.
   */
  readonly own?: (values: Values<F>) => boolean;
  /** Resolves to the exit code. `given` names the flags that were typed. */
  run(
    context: Context,
    values: Values<F>,
    args: readonly string[],
    given: ReadonlySet<string>,
  ): Promise<number>;
}

/** Keeps the types of the flags while checking the shape. */
export function command<F extends Flags>(it: Command<F>): Command<F> {
  return it;
}

/** How a command file is seen by the dispatcher. */
export interface CommandModule {
  readonly default: Command<Flags>;
}
