import { createServer, type Socket } from "node:net";
import { bindDatagrams, type Datagrams } from "../../host/datagram.ts";
import { bindTcp, type Listener } from "../ports/bind.ts";
import { framed } from "./forward.ts";
import { MAX_QUERY } from "./packet.ts";

/** Answers one message of somebody; null is silence. An answer that is no promise is sent before the next message. */
export type Respond = (
  message: Buffer,
  asker: string,
  transport: "udp" | "tcp",
) => Promise<Buffer | null> | Buffer | null;

const MAX_CONNECTIONS = 256;
/** Milliseconds after which a connection on which nothing happens is closed (RFC 7766, 6.2.3: a few seconds). */
const IDLE = 10_000;

/**
 * Both listen so that a published port 53, which is on all of the host's addresses, can be bound beside them: each
 * side says that it allows it (SO_REUSEPORT, socket(7)), and the kernel prefers the more exact address.
 */

/** UDP on an address of the host. Rejects with the kernel's code. */
export async function listenUdp(address: string, port: number, respond: Respond): Promise<Listener> {
  let open = true;
  const socket: Datagrams = await bindDatagrams({
    address,
    port,
    shared: true,
    receive(message, from, asker) {
      const answer = respond(message, asker, "udp");
      if (answer === null) return;
      if (!(answer instanceof Promise)) return socket.send(answer, from, asker);
      void answer.then((bytes) => {
        if (bytes && open) socket.send(bytes, from, asker);
      });
    },
  });
  return {
    close() {
      open = false;
      socket.close();
    },
  };
}

/** TCP on an address of the host. Rejects with the kernel's code. */
export function listenTcp(address: string, port: number, respond: Respond): Promise<Listener> {
  const connections = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    if (connections.size >= MAX_CONNECTIONS) return void socket.destroy();
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    converse(socket, respond);
  });
  return bindTcp(server, { address, port }, true, connections);
}

/** Messages of one connection, one after the other: who asks without reading the answers is not read from. */
function converse(socket: Socket, respond: Respond): void {
  const asker = socket.remoteAddress ?? "";
  let got: Buffer = Buffer.alloc(0);
  let busy = false;
  socket.setTimeout(IDLE, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  const next = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    while (got.length >= 2) {
      const length = got.readUInt16BE(0);
      if (length > MAX_QUERY) return void socket.destroy();
      if (got.length < 2 + length) break;
      const answer = await respond(got.subarray(2, 2 + length), asker, "tcp");
      got = got.subarray(2 + length);
      if (!answer) return void socket.destroy();
      socket.write(framed(answer));
    }
    busy = false;
    socket.resume();
  };
  socket.on("data", (part: Buffer) => {
    got = got.length === 0 ? part : Buffer.concat([got, part]);
    socket.pause();
    void next();
  });
}
