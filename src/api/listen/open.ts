import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { conflict } from "../../engine/refuse.ts";
import { Refusal } from "../../oci/error.ts";
import { type ActivatedSocket, chosenSockets } from "./activation.ts";
import type { Listening } from "./address.ts";
import type { TlsKeys } from "./tls.ts";

/** An open door of the API. */
export interface Listener {
  close(): void;
}

export interface OpenOptions {
  /** Who may use unix sockets besides root: a name or number; undefined is `docker`, where there is such a group. */
  readonly group: string | undefined;
  readonly activated: readonly ActivatedSocket[];
  readonly connected: (socket: Socket) => void;
}

/** Listens. Both halves of its connections close on their own. @throws Refusal or the kernel's error */
export async function openListeners(where: Listening, options: OpenOptions): Promise<readonly Listener[]> {
  switch (where.kind) {
    case "unix":
      return [await openUnix(where.path, options)];
    case "tcp": {
      const server = where.tls ? tlsServer(where.tls, options) : plainServer(options);
      await listening(server, () => server.listen(where.port, where.host));
      return [{ close: () => void server.close() }];
    }
    case "activated":
      return await Promise.all(
        chosenSockets(options.activated, where.which).map(async ({ fd }) => {
          const server = plainServer(options);
          await listening(server, () => server.listen({ fd }));
          return { close: () => void server.close() };
        }),
      );
  }
}

const plainServer = ({ connected }: OpenOptions): Server => createServer({ allowHalfOpen: true }, connected);

function tlsServer({ cert, key, clients }: TlsKeys, { connected }: OpenOptions): Server {
  const options: TlsOptions = {
    cert,
    key,
    minVersion: "TLSv1.2",
    ...(clients ? { ca: clients, requestCert: true, rejectUnauthorized: true } : {}),
  };
  // `allowHalfOpen` is an option of tls.Server too; its types leave it out.
  const server = createTlsServer({ ...options, allowHalfOpen: true } as TlsOptions, connected);
  // Somebody who is no client of ours; without a listener it would end the engine.
  server.on("tlsClientError", (_, socket) => socket.destroy());
  return server;
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    listen();
  });
}

/** Root and a group may use it: whoever may, is as good as root. */
async function openUnix(path: string, options: OpenOptions): Promise<Listener> {
  const group = groupOf(options.group);
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  const server = plainServer(options);
  const before = process.umask(0o177);
  try {
    await listening(server, () => server.listen(path));
  } finally {
    process.umask(before);
  }
  if (group !== null) chownSync(path, 0, group);
  chmodSync(path, 0o660);
  return {
    close() {
      server.close();
      rmSync(path, { force: true });
    },
  };
}

/**
 * Makes way: a socket file outlives its engine.
 * @throws Refusal (409) when one still answers: it is somebody's
 */
export function clearStale(where: Listening): Promise<void> {
  if (where.kind !== "unix") return Promise.resolve();
  const { path } = where;
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      reject(conflict(`an engine answers at ${path} already: use that one, or choose another socket`));
    });
    probe.once("error", () => {
      rmSync(path, { force: true });
      resolve();
    });
  });
}

const GROUPS = "/etc/group";

function groupOf(asked: string | undefined): number | null {
  const name = asked ?? "docker";
  // A machine of one's own making may have no such file.
  const lines = existsSync(GROUPS) ? readFileSync(GROUPS, "utf8").split("\n") : [];
  const line = lines.find((entry) => entry.startsWith(`${name}:`));
  if (line) return Number(line.split(":")[2]);
  if (asked === undefined) return null;
  if (/^\d{1,9}$/.test(asked)) return Number(asked);
  throw new Refusal("invalid", `Cannot give the socket to group ${asked}: ${GROUPS} does not have it`);
}
