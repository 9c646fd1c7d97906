/** Where an engine listens. */
export type Endpoint =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly tls?: ClientTls };

/** PEM texts; without a certificate of one's own only the server shows one. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Whether the server must be who it says it is. */
  readonly verify: boolean;
}

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
  const tls = endpoint.kind === "tcp" ? endpoint.tls : undefined;
  let shaken: ((error: Error | null) => void) | undefined;
  const handshake = new Promise<void>((resolve, reject) => {
    shaken = (error) => (error ? reject(error) : resolve());
  });
  // A certificate that is not trusted is refused here: this call must not be a later one.
  handshake.catch(() => {});
  if (tls) {
    Object.assign(handlers, {
      handshake: (_: Bun.Socket, done: boolean, error: Error | null) =>
        shaken?.(tls.verify || !done ? error : null),
    });
  }
  const where =
    endpoint.kind === "unix"
      ? { unix: endpoint.path }
      : {
          hostname: endpoint.host.replace(/^\[|\]$/g, ""),
          port: endpoint.port,
          ...(tls && { tls: tlsOf(endpoint.host, tls) }),
        };
  const socket = await Bun.connect({ ...where, allowHalfOpen: true, socket: handlers } as Parameters<
    typeof Bun.connect
  >[0]);
  if (tls) {
    const cut = () =>
      shaken?.(failure ?? new Error("Cannot connect: the other side ended the TLS handshake"));
    wakeReader = cut;
    if (ended) cut();
    try {
      await handshake;
    } catch (error) {
      socket.terminate();
      throw error;
    }
    wakeReader = undefined;
  }

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

/** As Bun takes it; the handshake's result is looked at by us. */
const tlsOf = (host: string, { verify: _, ...pem }: ClientTls): Record<string, unknown> => ({
  ...pem,
  serverName: host.replace(/^\[|\]$/g, ""),
  rejectUnauthorized: false,
});
