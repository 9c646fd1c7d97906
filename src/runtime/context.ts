import { join } from "node:path";
import type { Arguments, Flags } from "./arguments.ts";
import type { Log } from "./log.ts";

/** What every command is given. */
export interface Context {
  /** Directory of all containers' state. */
  readonly root: string;
  readonly log: Log;
  /** Containers' cgroups are scopes of systemd: `--systemd-cgroup`. */
  readonly systemd: boolean;
}

/** One command: its flags, and what it does. Resolves to the exit code. */
export interface RuntimeCommand {
  readonly flags: Flags;
  /** Its arguments end with a command line of somebody else's, whose flags are not its own. */
  readonly takesCommand?: true;
  run(context: Context, given: Arguments): Promise<number> | number;
}

/** Where the files of a container are. */
export const directoryOf = (context: Context, id: string): string => join(context.root, id);
