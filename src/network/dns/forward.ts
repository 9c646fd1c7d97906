import { randomInt } from "node:crypto";
import { connect } from "node:net";
import { type Connected, connectDatagrams } from "../../host/datagram.ts";
import { answers, RCODE, rcodeOf } from "./packet.ts";

/** Where servers are asked; another port only in tests. */
export interface Upstream {
  readonly servers: readonly string[];
  readonly port: number;
}

/** How long one server has, milliseconds: two rounds of it end before the client's own 5 s (resolv.conf(5)). */
const PATIENCE = 2_000;
const ROUNDS = 2;
/** MAXNS of resolv.conf(5), and Docker's bound. */
const MAX_SERVERS = 3;

/**
 * Asks elsewhere: each server in turn, by the transport that the client used. The query goes out as it came, with
 * an id and from a port that nobody can guess.
 * @returns the answer with the client's id; null when no server had one
 */
export async function forward(
  bytes: Buffer,
  transport: "udp" | "tcp",
  { servers, port }: Upstream,
  patience = PATIENCE,
): Promise<Buffer | null> {
  const asked = servers.slice(0, MAX_SERVERS);
  const exchange = transport === "udp" ? askUdp : askTcp;
  let refusal: Buffer | null = null;
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of asked) {
      const query = Buffer.from(bytes);
      query.writeUInt16BE(randomInt(65536), 0);
      const answer = await exchange(query, server, port, patience);
      if (!answer) continue;
      answer.writeUInt16BE(bytes.readUInt16BE(0), 0);
      const code = rcodeOf(answer);
      // The next one may know better.
      if (code !== RCODE.failed && code !== RCODE.refused) return answer;
      refusal = answer;
    }
    if (refusal) break;
  }
  return refusal;
}

type Exchange = (query: Buffer, server: string, port: number, patience: number) => Promise<Buffer | null>;

/** A socket of its own for each: its port is new, and the kernel lets only this server's datagrams in. */
const askUdp: Exchange = (query, server, port, patience) =>
  new Promise((resolve) => {
    let socket: Connected | undefined;
    let open = true;
    const finish = (answer: Buffer | null): void => {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      socket?.close();
      resolve(answer);
    };
    const timer = setTimeout(finish, patience, null);
    const receive = (answer: Buffer): void => {
      if (answers(query, answer)) finish(answer);
    };
    connectDatagrams(server, port, receive, () => finish(null)).then(
      (connected) => {
        socket = connected;
        if (open) socket.send(query);
        else socket.close();
      },
      () => finish(null),
    );
  });

const askTcp: Exchange = (query, server, port, patience) =>
  new Promise((resolve) => {
    const socket = connect({ host: server, port, noDelay: true });
    const finish = (answer: Buffer | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(finish, patience, null);
    let got: Buffer = Buffer.alloc(0);
    socket.on("error", () => finish(null));
    socket.on("close", () => finish(null));
    socket.on("connect", () => socket.write(framed(query)));
    socket.on("data", (part: Buffer) => {
      got = got.length === 0 ? part : Buffer.concat([got, part]);
      if (got.length < 2 || got.length < 2 + got.readUInt16BE(0)) return;
      const answer = Buffer.from(got.subarray(2, 2 + got.readUInt16BE(0)));
      finish(answers(query, answer) ? answer : null);
    });
  });

/** A message as TCP carries it, with its length in front (RFC 1035, 4.2.2). */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
