/** Where an engine listens. */
export type Endpoint =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** A connected stream socket whose two directions end separately. */
export interface Duplex {
  /** Next bytes; null when the other side has ended its direction. Reading is what lets more bytes in. */
  read(): Promise<Uint8Array | null>;
  /** Resolves when the kernel has taken all of it. Rejects when the connection is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends our direction only. */
  end(): void;
  close(): void;
}

const HIGH_WATER = 1 << 20;

/** Connects a stream socket. Bytes beyond 1 MiB that nobody reads stay in the kernel. */
export async function connect(endpoint: Endpoint): Promise<Duplex> {
  const inbox: Uint8Array[] = [];
  let held = 0;
  let ended = false;
  let paused = false;
  let failure: Error | undefined;
  let wakeReader: (() => void) | undefined;
  let wakeWriter: (() => void) | undefined;
  const wake = () => {
    wakeReader?.();
    wakeReader = undefined;
    wakeWriter?.();
    wakeWriter = undefined;
  };
  const stop = (error?: Error) => {
    ended = true;
    failure ??= error;
    wake();
  };
  const handlers = {
    data(socket: Bun.Socket, chunk: Uint8Array) {
      inbox.push(chunk.slice());
      held += chunk.length;
      if (held > HIGH_WATER && !paused) {
        paused = true;
        socket.pause();
      }
      wakeReader?.();
      wakeReader = undefined;
    },
    drain() {
      wakeWriter?.();
      wakeWriter = undefined;
    },
    end: () => stop(),
    close: () => stop(),
    error: (_: Bun.Socket, error: Error) => stop(error),
    connectError: (_: Bun.Socket, error: Error) => stop(error),
  };
  const where =
    endpoint.kind === "unix" ? { unix: endpoint.path } : { hostname: endpoint.host, port: endpoint.port };
  const socket = await Bun.connect({ ...where, allowHalfOpen: true, socket: handlers } as Parameters<
    typeof Bun.connect
  >[0]);

  return {
    async read() {
      while (inbox.length === 0) {
        if (ended) return null;
        await new Promise<void>((resolve) => {
          wakeReader = resolve;
        });
      }
      const chunk = inbox.shift() as Uint8Array;
      held -= chunk.length;
      if (paused && held < HIGH_WATER / 2) {
        paused = false;
        socket.resume();
      }
      return chunk;
    },
    async write(bytes) {
      let rest = bytes;
      while (rest.length > 0) {
        const taken = socket.write(rest);
        if (failure) throw failure;
        if (taken < 0) throw new Error("Cannot write: the connection is closed");
        rest = rest.subarray(taken);
        if (rest.length > 0)
          await new Promise<void>((resolve) => {
            wakeWriter = resolve;
          });
      }
    },
    end: () => void socket.shutdown(),
    close: () => void socket.terminate(),
  };
}
