/** A program that was started, with nothing open but /dev/null. */
export interface StartedProgram {
  readonly pid: number;
}

/**
 * Execute `path` with `/dev/null` as standard streams, an empty environment and no other descriptor. Does not
 * keep this process alive. `ended` is called when it has ended, unless this process ended first.
 * @throws as execve(2)
 */
export function startProgram(
  path: string,
  name: string,
  ended: (code: number | null) => void,
): StartedProgram {
  const child = Bun.spawn([path], {
    argv0: name,
    stdio: ["ignore", "ignore", "ignore"],
    env: {},
    onExit: (_child, code) => ended(code),
  });
  child.unref();
  return { pid: child.pid };
}
