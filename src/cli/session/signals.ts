import { COMMAND_SIGNALS } from "../../wire/front.ts";
import { caller } from "../caller/caller.ts";

/**
 * Passes this process's signals on to a container, in order, until the returned function is called.
 * @param kill sends one signal by name, without SIG
 */
export function proxySignals(kill: (signal: string) => Promise<void>): () => void {
  let queue: Promise<void> = Promise.resolve();
  const handlers = COMMAND_SIGNALS.map((name) => {
    const handler = () => {
      queue = queue.then(() => kill(name.slice(3))).catch(() => {});
    };
    return caller().onSignal(name, handler);
  });
  return () => {
    for (const stop of handlers) stop();
  };
}
