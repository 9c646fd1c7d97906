/**
 * UDP as the runtime itself has it. `node:dgram`, which is built on it, costs a question and its answer half as much
 * again: an event, an object for each sender, a look-up of an address that is one already, and a callback.
 */

export interface Datagrams {
  /** Sends at once, and loses what the kernel has no room for. `bytes` are the caller's again when it returns. */
  send(bytes: Uint8Array, port: number, address: string): void;
  close(): void;
}

export interface DatagramOptions {
  /** An address of this machine, IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
  /** SO_REUSEPORT (socket(7)): others that say so may have the port on another address. */
  readonly shared: boolean;
  receive(bytes: Buffer, port: number, address: string): void;
}

/** uSockets' options of a socket; what the runtime's own `node:dgram` passes as `flags`. */
const FLAG = { shared: 4, v6Only: 8, exactly: 32 } as const;

/**
 * Binds a port; it keeps no process alive.
 * @throws an error with the kernel's code (EADDRINUSE, EADDRNOTAVAIL, EACCES)
 */
export async function bindDatagrams(options: DatagramOptions): Promise<Datagrams> {
  const { address, port, receive, shared } = options;
  const flags = FLAG.exactly | (shared ? FLAG.shared : 0) | (address.includes(":") ? FLAG.v6Only : 0);
  const asked = {
    hostname: address,
    port,
    flags,
    binaryType: "buffer" as const,
    socket: {
      data: (_: unknown, bytes: Buffer, from: number, sender: string): void => receive(bytes, from, sender),
      // ICMP that tells of an earlier answer: nobody is there any more.
      error: (): void => undefined,
    },
  };
  const socket = await Bun.udpSocket<"buffer">(asked);
  socket.unref();
  return {
    send(bytes, to, receiver) {
      try {
        socket.send(bytes, to, receiver);
      } catch {
        // No way there, or the last one's ICMP.
      }
    },
    close: () => socket.close(),
  };
}

/** A socket for one peer: the kernel lets nobody else's datagrams in, and chooses the port. */
export interface Connected {
  send(bytes: Uint8Array): void;
  close(): void;
}

/** @param failed the peer cannot be reached */
export async function connectDatagrams(
  address: string,
  port: number,
  receive: (bytes: Buffer) => void,
  failed: () => void,
): Promise<Connected> {
  const socket = await Bun.udpSocket<"buffer">({
    connect: { hostname: address, port },
    ...(address.includes(":") ? { hostname: "::" } : { hostname: "0.0.0.0" }),
    binaryType: "buffer",
    socket: {
      data: (_, bytes): void => receive(bytes),
      error: failed,
    },
  });
  return {
    send(bytes) {
      try {
        socket.send(bytes);
      } catch {
        failed();
      }
    },
    close: () => socket.close(),
  };
}
