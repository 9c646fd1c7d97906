import { caller } from "../caller/caller.ts";

/** Those that a person or a supervisor sends. What the kernel tells this process about itself stays here. */
const proxied = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGTERM",
  "SIGCONT",
  "SIGTSTP",
  "SIGWINCH",
] as const;

/**
 * Passes this process's signals on to a container, in order, until the returned function is called.
 * @param kill sends one signal by name, without SIG
 */
export function proxySignals(kill: (signal: string) => Promise<void>): () => void {
  let queue: Promise<void> = Promise.resolve();
  const handlers = proxied.map((name) => {
    const handler = () => {
      queue = queue.then(() => kill(name.slice(3))).catch(() => {});
    };
    return caller().onSignal(name, handler);
  });
  return () => {
    for (const stop of handlers) stop();
  };
}
