import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { type Engine, lockRoot } from "../engine/engine.ts";
import { conflict } from "../engine/refuse.ts";
import { assemble } from "./assemble.ts";
import { fail } from "./failure.ts";
import { createHandler } from "./handler.ts";
import { serveConnection } from "./http/connection.ts";
import { API_HEADER } from "./resources/system.ts";
import { VERSION } from "../wire/version.ts";

export interface ServeOptions {
  /** State that lasts. */
  readonly root: string;
  /** State of what runs. */
  readonly run: string;
  /** Path of the socket; `<run>/cais.sock` unless given. */
  readonly socket?: string;
  /** Group that may use the socket, by name; it stays with root when there is no such group. */
  readonly group?: string;
}

export interface Serving {
  readonly engine: Engine;
  /** Stops listening; containers run on. */
  close(): void;
}

const COMMON = `${API_HEADER}Server: cais/${VERSION} (linux)\r\n`;
/** Milliseconds for the rest of a head that has begun. */
const PATIENCE = 30_000;

/**
 * Runs an engine on a socket until it is closed. Tells the descriptor in `CAIS_READY_FD` when it answers.
 * @throws Refusal when another engine has the root or answers at the socket
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  const socket = options.socket ?? `${options.run}/cais.sock`;
  const lock = await lockRoot(options.root);
  try {
    mkdirSync(options.run, { recursive: true, mode: 0o711 });
    mkdirSync(dirname(socket), { recursive: true, mode: 0o711 });
    await removeStale(socket);
    const { engine, close } = await assemble(options);
    const handler = createHandler(engine);
    const connections = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (connection) => {
      connections.add(connection);
      connection.on("close", () => connections.delete(connection));
      void serveConnection(connection, { handler, common: COMMON, failed: fail, patience: PATIENCE });
    });
    await listen(server, socket);
    chmodSync(socket, 0o660);
    const group = groupId(options.group ?? "docker");
    if (group !== null) chownSync(socket, 0, group);
    ready();
    return {
      engine,
      close() {
        server.close();
        for (const connection of connections) connection.destroy();
        rmSync(socket, { force: true });
        close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
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

function ready(): void {
  const descriptor = Number(process.env.CAIS_READY_FD);
  if (!Number.isInteger(descriptor) || descriptor < 3) return;
  try {
    writeSync(descriptor, "ready\n");
  } catch {
    // Who started the engine did not wait.
  }
}
