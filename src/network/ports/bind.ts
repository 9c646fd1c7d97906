import type { Server, Socket } from "node:net";
import { ASKED, HEARD_PORT } from "../dns/place.ts";
import { isV6 } from "./published.ts";

/** A host port that is ours, with its connections, until it is closed. */
export interface Listener {
  close(): void;
}

export interface Address {
  readonly address: string;
  readonly port: number;
}

/** At these the resolver has some addresses of the host already; it allows others beside it (`dns/listen`). */
export const isShared = (port: number): boolean => port === ASKED.port || port === HEARD_PORT;

/**
 * Binds a server to a TCP port of one address of the host; it keeps no process alive.
 * @param reusePort whether the port may be another program's on another address
 * @param open its connections
 * @returns once it is bound; rejects with the kernel's code (EADDRINUSE, EADDRNOTAVAIL, EACCES)
 */
export function bindTcp(
  server: Server,
  { address, port }: Address,
  reusePort: boolean,
  open: ReadonlySet<Socket>,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, ipv6Only: isV6(address), exclusive: true, reusePort }, () => {
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
    });
  });
}
