import { mkdirSync } from "node:fs";
import type { Socket } from "node:net";
import { type AssembleOptions, assemble } from "../engine/assemble.ts";
import { type Engine, lockRoot } from "../engine/engine.ts";
import { leaveNetworks } from "../engine/networks/restore.ts";
import { collectWhenQuiet } from "../host/memory.ts";
import { VERSION } from "../wire/version.ts";
import { fail } from "./failure.ts";
import { createHandler } from "./handler.ts";
import { type Handler, serveConnection } from "./http/connection.ts";
import type { ActivatedSocket } from "./listen/activation.ts";
import type { Listening } from "./listen/address.ts";
import { clearStale, type Listener, openListeners } from "./listen/open.ts";
import { readOnly } from "./readonly.ts";
import { commandRoute, type RunCommand } from "./resources/command.ts";
import { API_HEADER } from "./resources/system.ts";

export interface ServerOptions extends AssembleOptions {
  readonly listen: readonly { readonly where: Listening; readonly readOnly: boolean }[];
  /** Who may use unix sockets besides root. */
  readonly group?: string | undefined;
  /** Sockets that were handed over. */
  readonly activated?: readonly ActivatedSocket[];
  /** What is dangerous about the addresses. */
  readonly warnings?: readonly string[];
  /** Runs commands of fronts that come by the unix socket of this path. */
  readonly commands?: (path: string) => RunCommand;
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
  const { root, run } = options;
  const lock = await lockRoot(root);
  const listeners: Listener[] = [];
  const connections = new Set<Socket>();
  const closeAll = (): void => {
    for (const listener of listeners) listener.close();
    for (const connection of connections) connection.destroy();
  };
  const connected =
    (handler: Handler) =>
    (connection: Socket): void => {
      connections.add(connection);
      connection.on("close", () => connections.delete(connection));
      void serveConnection(connection, { handler, common: COMMON, failed: fail, patience: PATIENCE });
    };
  try {
    mkdirSync(run, { recursive: true, mode: 0o711 });
    for (const { where } of options.listen) await clearStale(where);
    const { engine, close } = await assemble(options);
    engine.warnings.push(...(options.warnings ?? []));
    for (const { where, readOnly: looking } of options.listen) {
      const fronts =
        where.kind === "unix" && options.commands ? [commandRoute(options.commands(where.path))] : [];
      const handler = createHandler(engine, fronts);
      const opened = await openListeners(where, {
        group: options.group,
        activated: options.activated ?? [],
        connected: connected(looking ? readOnly(handler) : handler),
      });
      listeners.push(...opened);
    }
    // The start itself leaves the most behind.
    collectWhenQuiet();
    return {
      engine,
      async close() {
        closeAll();
        await leaveNetworks(engine);
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
