import { closeSync, writeSync } from "node:fs";
import { unsupported } from "../engine/refuse.ts";
import { openServer } from "./server.ts";

export interface ServeOptions {
  /** State that lasts: `/var/lib/cais`. */
  readonly root: string;
  /** State of what runs: `/run/cais`. */
  readonly run: string;
  /** Where to listen: `unix:///path`. */
  readonly hosts: readonly string[];
  /** `debug`, `info`, `warn` or `error`. */
  readonly logLevel: string;
  /** A descriptor to write one byte to, and close, when the engine answers. */
  readonly readyFd?: number;
}

/**
 * Runs an engine in this process until it is asked to end. Containers run on without it.
 * @throws Refusal when another engine is at work here, or an address is of a kind that is not supported
 */
export async function serve(options: ServeOptions): Promise<never> {
  const server = await openServer({
    root: options.root,
    run: options.run,
    sockets: options.hosts.map(socketOf),
    report: (message) => console.error(message),
  });
  if (options.readyFd !== undefined) {
    writeSync(options.readyFd, "1");
    closeSync(options.readyFd);
  }
  return new Promise<never>(() => {
    const end = (): void => {
      void server.close().finally(() => process.exit(0));
    };
    process.once("SIGTERM", end);
    process.once("SIGINT", end);
  });
}

function socketOf(host: string): string {
  const match = /^(?:unix:\/\/)?(\/.+)$/.exec(host);
  if (!match) throw unsupported(`Cannot listen at ${host}: only unix:///path is supported by this version`);
  return match[1]!;
}
