/** Somebody who is attached to a container's output. */
export interface Listener {
  /**
   * What it keeps of the chunk it must copy; all listeners get the same object. Returns a promise when it cannot take
   * more at once: the container's output waits for it, as in Docker.
   */
  write(stream: "stdout" | "stderr", chunk: Uint8Array): Promise<void> | undefined;
  /** The container has ended, all of its output was written. */
  end(): void;
}

/** Hands the live output of one container to everybody who is attached. Keeps nothing. */
export interface Hub {
  add(listener: Listener): () => void;
  publish(stream: "stdout" | "stderr", chunk: Uint8Array): Promise<unknown> | undefined;
  /** Ends all listeners and forgets them. */
  end(): void;
}

/** A hub that nobody is attached to yet. */
export function createHub(): Hub {
  const listeners = new Set<Listener>();
  return {
    add(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    publish(stream, chunk) {
      if (listeners.size === 0) return undefined;
      let slow: Promise<void>[] | undefined;
      for (const listener of listeners) {
        const wait = listener.write(stream, chunk);
        if (wait) {
          slow ??= [];
          slow.push(wait);
        }
      }
      return slow && Promise.all(slow);
    },
    end() {
      const all = [...listeners];
      listeners.clear();
      for (const listener of all) listener.end();
    },
  };
}
