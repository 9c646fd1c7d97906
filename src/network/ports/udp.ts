import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { type Address, isShared, type Listener } from "./bind.ts";
import { isV6 } from "./published.ts";

/** How long a client's port keeps its way back after its last datagram, milliseconds: the same as Docker's proxy. */
const IDLE = 90_000;
/** Clients at once on one port; the one that was silent longest makes way for a new one. */
const MAX_SESSIONS = 1024;

interface Session {
  readonly socket: Socket;
  /** When its last datagram came, either way. */
  last: number;
}

/**
 * Binds a UDP port of the host and carries datagrams to the container and back, with a socket for each client.
 * @returns once it is bound; rejects with the kernel's code
 */
export async function listenUdp(at: Address, target: Address, idle = IDLE): Promise<Listener> {
  const front = await bind(at);
  // In the order of their last use: a session that is used is put at the end.
  const sessions = new Map<string, Session>();
  let timer: NodeJS.Timeout | undefined;

  const drop = (key: string): void => {
    sessions.get(key)?.socket.close();
    sessions.delete(key);
  };
  const touch = (key: string, session: Session): void => {
    session.last = Date.now();
    sessions.delete(key);
    sessions.set(key, session);
    timer ??= setTimeout(expire, idle).unref();
  };
  const expire = (): void => {
    timer = undefined;
    const now = Date.now();
    for (const [key, { last }] of sessions) {
      if (now - last < idle) {
        timer = setTimeout(expire, last + idle - now).unref();
        return;
      }
      drop(key);
    }
  };
  const open = (key: string, client: RemoteInfo): Session => {
    const oldest = sessions.size >= MAX_SESSIONS ? sessions.keys().next().value : undefined;
    if (oldest !== undefined) drop(oldest);
    const socket = createSocket(isV6(target.address) ? "udp6" : "udp4").unref();
    const session = { socket, last: 0 };
    sessions.set(key, session);
    // ECONNREFUSED: nobody listens there yet. UDP loses datagrams.
    socket.on("error", () => undefined);
    socket.on("message", (bytes, from) => {
      // The socket hears the whole network; only the container answers.
      if (from.port !== target.port || from.address !== target.address) return;
      if (sessions.get(key) !== session) return;
      touch(key, session);
      front.send(bytes, client.port, client.address, () => undefined);
    });
    return session;
  };
  front.on("message", (bytes, client) => {
    const key = `${client.address} ${client.port}`;
    const session = sessions.get(key) ?? open(key, client);
    touch(key, session);
    session.socket.send(bytes, target.port, target.address, () => undefined);
  });
  return {
    close() {
      clearTimeout(timer);
      front.close();
      for (const key of [...sessions.keys()]) drop(key);
    },
  };
}

function bind({ address, port }: Address): Promise<Socket> {
  const v6 = isV6(address);
  const socket = createSocket({
    type: v6 ? "udp6" : "udp4",
    ipv6Only: v6,
    reusePort: isShared(port),
  }).unref();
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners("error");
      socket.on("error", () => undefined);
      resolve(socket);
    });
  });
}
