/** How a program ended: its exit code, 128 + the signal that killed it otherwise. */
export type ExitCode = number;

/** What a program is given of this process. */
export interface Handed {
  /** What it is called in process lists. */
  readonly name: string;
  /** Descriptors after 0, 1 and 2 that it inherits, at the same numbers. */
  readonly preserve: number;
}

const optionsOf = ({ name, preserve }: Handed) => ({
  argv0: name,
  env: {},
  stdio: ["inherit", "inherit", "inherit", ...Array.from({ length: preserve }, (_, index) => 3 + index)] as [
    "inherit",
    "inherit",
    "inherit",
  ],
});

/**
 * Execute `path` with this process's streams and an empty environment, and wait for its end without doing
 * anything else.
 * @throws as execve(2)
 */
export function execute(path: string, handed: Handed): ExitCode {
  const ended = Bun.spawnSync([path], optionsOf(handed));
  return ended.signalCode == null ? ended.exitCode : 128 + (SIGNAL[ended.signalCode] ?? 0);
}

/** Ends that are told apart here; others read as 128. */
const SIGNAL: Readonly<Record<string, number>> = { SIGKILL: 9, SIGTERM: 15 };

/** The same, and meanwhile every signal that this process gets goes to the program. */
export async function accompany(
  path: string,
  handed: Handed,
  signals: readonly NodeJS.Signals[],
): Promise<ExitCode> {
  const child = Bun.spawn([path], optionsOf(handed));
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  const code = await child.exited;
  return child.signalCode === null ? code : 128 + (SIGNAL[child.signalCode] ?? 0);
}
