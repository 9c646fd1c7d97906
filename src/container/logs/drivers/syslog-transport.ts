import { createSocket } from "node:dgram";
import { existsSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { openRelay, type Relay } from "../../../plan/relay.ts";
import { wrong } from "../value.ts";

export type SyslogAddress =
  /** The machine's own. */
  | { readonly kind: "local" }
  /** `unix` is tried as datagrams first, as syslog(3) does it. */
  | { readonly kind: "unix" | "unixgram"; readonly path: string }
  | { readonly kind: "udp" | "tcp" | "tcp+tls"; readonly host: string; readonly port: number };

/** Files of PEM. */
export interface SyslogTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly verify: boolean;
}

/** Carries whole messages, in order. */
export interface Transport {
  send(message: Buffer): Promise<void>;
  close(): void;
}

/** Where machines have it, in Docker's order. */
const LOCAL = ["/dev/log", "/var/run/syslog", "/var/run/log"];

/** @param counted each message is preceded by its length (RFC 5425, 4.3) */
export async function openTransport(
  address: SyslogAddress,
  tls: SyslogTls,
  programs: string,
  counted: boolean,
): Promise<Transport> {
  switch (address.kind) {
    case "local": {
      const path = LOCAL.find((one) => existsSync(one));
      if (path === undefined) throw wrong("Unix syslog delivery error");
      return openUnix(path, programs);
    }
    case "unixgram":
      return openRelay(address.path, programs);
    case "unix":
      return openUnix(address.path, programs);
    case "udp":
      return openUdp(address.host, address.port);
    case "tcp":
      return await openStream(() => connect(address.port, address.host), false);
    case "tcp+tls": {
      const files = {
        ...(tls.ca ? { ca: readFileSync(tls.ca) } : {}),
        ...(tls.cert ? { cert: readFileSync(tls.cert) } : {}),
        ...(tls.key ? { key: readFileSync(tls.key) } : {}),
      };
      const { host, port } = address;
      const dial = () =>
        connectTls({ host, port, servername: host, rejectUnauthorized: tls.verify, ...files });
      return await openStream(dial, counted);
    }
  }
}

/** A socket takes datagrams or a stream: the first message that is refused as the one tells. */
async function openUnix(path: string, programs: string): Promise<Transport> {
  const relay: Relay = openRelay(path, programs);
  let stream: Transport | undefined;
  return {
    async send(message) {
      if (stream) return stream.send(message);
      try {
        await relay.send(message);
      } catch (error) {
        if ((error as { code?: string }).code !== "EPROTOTYPE") throw error;
        stream = await openStream(() => connect(path), false);
        await stream.send(message);
      }
    },
    close() {
      relay.close();
      stream?.close();
    },
  };
}

function openUdp(host: string, port: number): Transport {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.unref();
  // A port that nobody listens at is told by ICMP, and is no reason to end.
  socket.on("error", () => undefined);
  let pending = 0;
  let closing = false;
  const done = (): void => {
    if (closing && pending === 0) socket.close();
  };
  return {
    send(message) {
      pending++;
      return new Promise((resolve, reject) => {
        socket.send(message, port, host, (error) => {
          pending--;
          done();
          if (error) reject(error);
          else resolve();
        });
      });
    },
    close() {
      closing = true;
      done();
    },
  };
}

/** A connection that is made again once for a message that finds it broken. */
async function openStream(dial: () => Socket, counted: boolean): Promise<Transport> {
  let socket: Socket | null = await connected(dial());
  let last: Promise<void> = Promise.resolve();
  const deliver = async (message: Buffer): Promise<void> => {
    if (socket === null || socket.destroyed) socket = await connected(dial());
    const to = socket;
    const bytes = counted ? Buffer.concat([Buffer.from(`${message.length} `), message]) : message;
    await new Promise<void>((resolve, reject) => {
      to.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  };
  return {
    send(message) {
      last = last.catch(() => undefined).then(() => deliver(message));
      return last;
    },
    close: () => void last.catch(() => undefined).then(() => socket?.end()),
  };
}

function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const ready = "encrypted" in socket ? "secureConnect" : "connect";
    socket.once(ready, () => {
      socket.off("error", reject);
      // The other side has gone: the next message makes a new connection.
      socket.on("error", () => socket.destroy());
      socket.on("end", () => socket.destroy());
      socket.resume();
      socket.unref();
      resolve(socket);
    });
    socket.once("error", reject);
  });
}
