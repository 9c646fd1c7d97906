import { chownSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server as NetServer, type Socket } from "node:net";
import { dirname } from "node:path";
import { type AssembleOptions, assemble } from "../engine/assemble.ts";
import { type Engine, lockRoot } from "../engine/engine.ts";
import { leaveNetworks } from "../engine/networks/restore.ts";
import { conflict } from "../engine/refuse.ts";
import { VERSION } from "../wire/version.ts";
import { fail } from "./failure.ts";
import { createHandler } from "./handler.ts";
import { serveConnection } from "./http/connection.ts";
import { API_HEADER } from "./resources/system.ts";

export interface ServerOptions extends AssembleOptions {
  /** Paths of the sockets to listen on. */
  readonly sockets: readonly string[];
}

export interface Server {
  readonly engine: Engine;
  /** Stops listening; containers run on. */
  close(): Promise<void>;
}

const COMMON = `${API_HEADER}Server: cais/${VERSION} (linux)\r\n`;
/** Milliseconds for the rest of a head that has begun. */
const PATIENCE = 30_000;

/**
 * Starts an engine and lets it answer on sockets until it is closed.
 * @throws Refusal when another engine has the root or answers at a socket
 */
export async function openServer(options: ServerOptions): Promise<Server> {
  const { root, run, sockets } = options;
  const lock = await lockRoot(root);
  const servers: NetServer[] = [];
  const connections = new Set<Socket>();
  const closeAll = (): void => {
    for (const server of servers) server.close();
    for (const connection of connections) connection.destroy();
  };
  try {
    mkdirSync(run, { recursive: true, mode: 0o711 });
    for (const socket of sockets) await removeStale(socket);
    const { engine, close } = await assemble(options);
    const handler = createHandler(engine);
    for (const socket of sockets) {
      const server = createServer({ allowHalfOpen: true }, (connection) => {
        connections.add(connection);
        connection.on("close", () => connections.delete(connection));
        void serveConnection(connection, { handler, common: COMMON, failed: fail, patience: PATIENCE });
      });
      servers.push(server);
      await listen(server, socket);
    }
    return {
      engine,
      async close() {
        closeAll();
        await leaveNetworks(engine);
        for (const socket of sockets) rmSync(socket, { force: true });
        close();
        lock.release();
      },
    };
  } catch (error) {
    closeAll();
    lock.release();
    throw error;
  }
}

/** Root and, where there is one, the group `docker` may use the socket: whoever may, is as good as root. */
async function listen(server: NetServer, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  const before = process.umask(0o117);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(before);
  }
  const group = groupId("docker");
  if (group !== null) chownSync(path, 0, group);
}

/** A socket file outlives its engine; one that still answers is somebody's. */
function removeStale(path: string): Promise<void> {
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

function groupId(name: string): number | null {
  try {
    const line = readFileSync("/etc/group", "utf8")
      .split("\n")
      .find((entry) => entry.startsWith(`${name}:`));
    return line ? Number(line.split(":")[2]) : null;
  } catch {
    return null;
  }
}
