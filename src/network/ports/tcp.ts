import { createConnection, createServer, type Socket } from "node:net";
import { type Address, bindTcp, isShared, type Listener } from "./bind.ts";

/** More at once are cut off: each costs the engine two descriptors. */
const MAX_CONNECTIONS = 4096;

/**
 * Listens on a TCP port of the host and carries what arrives there to the container. What the kernel translates
 * never arrives; what does is loopback traffic, and IPv6 for a container that has only IPv4.
 * @returns once it is bound; rejects with the kernel's code (EADDRINUSE, EADDRNOTAVAIL, EACCES)
 */
export function listenTcp(own: Address, target: Address): Promise<Listener> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (open.size >= 2 * MAX_CONNECTIONS) client.destroy();
    else carry(client, target, open);
  });
  return bindTcp(server, own, isShared(own.port), open);
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
