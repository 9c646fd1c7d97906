import { parseAddress } from "../client/address.ts";
import type { Engine } from "../client/request.ts";
import type { ClientTls } from "../host/socket.ts";
import { DEFAULT_RUN, HOST_VARIABLES, socketIn } from "../wire/front.ts";
import { caller } from "./caller/caller.ts";
import { bool, text } from "./flags/flag.ts";
import { type TlsOptions, tlsFlags } from "./flags/tls.ts";

/** The options before the command's name. */
export const globalFlags = {
  debug: bool("Say more about what happens", { short: "D" }),
  host: text("Address of the engine: unix:///path or tcp://host:port", { short: "H" }),
  root: text("Directory of the engine's state", { shown: '"/var/lib/cais"' }),
  run: text("Directory of the engine's sockets and running containers", { shown: '"/run/cais"' }),
  ...tlsFlags,
  version: bool("Print the version and quit", { short: "v" }),
};

/** What every command is given. */
export interface Context {
  readonly engine: Engine;
  readonly root: string;
  readonly run: string;
  readonly debug: boolean;
  readonly dispatch: Dispatch;
}

/** Runs one command line; resolves to its exit code. */
export type Dispatch = (argv: readonly string[]) => Promise<number>;

export interface GlobalOptions extends TlsOptions {
  readonly debug: boolean;
  readonly host?: string | undefined;
  readonly root?: string | undefined;
  readonly run?: string | undefined;
}

/**
 * Which engine a command speaks to: `--host`, else CAIS_HOST, else DOCKER_HOST, else the socket in the run
 * directory. Only the latter is started when it does not answer.
 * @param tls what TCP is secured with
 */
export function makeContext(options: GlobalOptions, tls: ClientTls | undefined, dispatch: Dispatch): Context {
  const { engine: only, environment } = caller();
  const run = options.run ?? DEFAULT_RUN;
  const root = options.root ?? "/var/lib/cais";
  const own = { root, run, debug: options.debug, dispatch };
  if (only) return { ...own, engine: only };
  const chosen = options.host ?? HOST_VARIABLES.map((name) => environment[name]).find(Boolean);
  const endpoint = parseAddress(chosen ?? `unix://${socketIn(run)}`, tls);
  const socket = endpoint.kind === "unix" ? endpoint.path : undefined;
  const engine: Engine =
    chosen === undefined && socket !== undefined
      ? {
          endpoint,
          revive: async () => {
            const { startEngine } = await import("./autostart.ts");
            return startEngine({ root, run, socket, debug: options.debug });
          },
        }
      : { endpoint };
  return { ...own, engine };
}
