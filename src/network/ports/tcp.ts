import { createConnection, createServer, type Socket } from "node:net";
import { ASKED, HEARD_PORT } from "../dns/place.ts";
import { isV6 } from "./published.ts";

/** A host port that is ours. */
export interface Listener {
  close(): void;
}

export interface Address {
  readonly address: string;
  readonly port: number;
}

/** At these the resolver has some addresses of the host already; it allows others beside it (`dns/listen`). */
export const isShared = (port: number): boolean => port === ASKED.port || port === HEARD_PORT;

/** More at once are cut off: each costs the engine two descriptors. */
const MAX_CONNECTIONS = 4096;

/**
 * Listens on a TCP port of the host and carries what arrives there to the container. What the kernel translates
 * never arrives; what does is loopback traffic, and IPv6 for a container that has only IPv4.
 * @returns once it is bound; rejects with the kernel's code (EADDRINUSE, EADDRNOTAVAIL, EACCES)
 */
export function listenTcp({ address, port }: Address, target: Address): Promise<Listener> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (open.size >= 2 * MAX_CONNECTIONS) client.destroy();
    else carry(client, target, open);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(
      { host: address, port, ipv6Only: isV6(address), exclusive: true, reusePort: isShared(port) },
      () => {
        server.removeListener("error", reject);
        // ENFILE and the like on accept: this connection is lost, the port is not.
        server.on("error", () => undefined);
        server.unref();
        resolve({
          close() {
            server.close();
            for (const socket of open) socket.destroy();
          },
        });
      },
    );
  });
}

/** Both directions end on their own, and each reads no faster than the other side takes it. */
function carry(client: Socket, target: Address, open: Set<Socket>): void {
  const server = createConnection({
    host: target.address,
    port: target.port,
    allowHalfOpen: true,
    noDelay: true,
  });
  let connected = false;
  server.once("connect", () => {
    connected = true;
    client.pipe(server);
    server.pipe(client);
  });
  for (const [socket, other] of [
    [client, server],
    [server, client],
  ] as const) {
    open.add(socket);
    socket.once("error", () => {
      // Nobody listens in the container: the client is told as if it had asked there itself.
      if (connected) other.destroy();
      else if (socket === server) client.resetAndDestroy();
      else server.destroy();
    });
    socket.once("close", () => {
      open.delete(socket);
      // Closed before its time: what the other still has to write has nowhere to go.
      if (!socket.readableEnded) other.destroy();
    });
  }
}
