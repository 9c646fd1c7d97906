import { closeSync, writeSync } from "node:fs";
import { Refusal } from "../oci/error.ts";
import { activatedSockets } from "./listen/activation.ts";
import { type Listening, listeningText, parseListening } from "./listen/address.ts";
import { loadTls, type TlsFiles } from "./listen/tls.ts";
import type { RunCommand } from "./resources/command.ts";
import { openServer } from "./server.ts";

export interface ServeOptions {
  /** State that lasts: `/var/lib/cais`. */
  readonly root: string;
  /** State of what runs: `/run/cais`. */
  readonly run: string;
  /** Where to listen: `unix:///path`, `tcp://host:port`, `fd://`. */
  readonly hosts: readonly string[];
  /** More of them, for looking only. */
  readonly readOnlyHosts?: readonly string[];
  /** How TCP is secured. Absent: it is not served; `plain`: it was asked for without. */
  readonly tls?: (TlsFiles & { readonly verify: boolean }) | "plain";
  /** Who may use unix sockets besides root. */
  readonly group?: string;
  /** `debug`, `info`, `warn` or `error`. */
  readonly logLevel: string;
  /** Runs commands of fronts that come by the unix socket of this path. */
  readonly commands?: (path: string) => RunCommand;
  /** A descriptor to write one byte to, and close, when the engine answers. */
  readonly readyFd?: number;
}

/**
 * Runs an engine in this process until it is asked to end. Containers run on without it.
 * @throws Refusal when another engine is at work here, or an address cannot be served as it is asked for
 */
export async function serve(options: ServeOptions): Promise<never> {
  const report = (message: string): void => console.error(message);
  const { tls } = options;
  const keys = tls && tls !== "plain" ? loadTls(tls, tls.verify) : null;
  const parsed = (hosts: readonly string[], readOnly: boolean) =>
    hosts.map((host) => ({ where: parseListening(host, keys), readOnly }));
  const listen = [...parsed(options.hosts, false), ...parsed(options.readOnlyHosts ?? [], true)];
  const warnings = listen.flatMap(({ where }) => exposure(where, tls === "plain") ?? []);
  for (const warning of warnings) report(warning);
  const server = await openServer({
    root: options.root,
    run: options.run,
    listen,
    warnings,
    ...(options.group === undefined ? {} : { group: options.group }),
    activated: activatedSockets(process.env),
    ...(options.commands && { commands: options.commands }),
    report,
  });
  if (options.readyFd !== undefined) {
    writeSync(options.readyFd, "1");
    closeSync(options.readyFd);
  }
  // A mistake in one request's code must not end what all others wait for.
  process.on("unhandledRejection", (error) => {
    report(`Unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  });
  return new Promise<never>(() => {
    const end = (): void => {
      void server.close().finally(() => process.exit(0));
    };
    process.once("SIGTERM", end);
    process.once("SIGINT", end);
  });
}

/** What is dangerous about an address. @throws Refusal for plain TCP that nobody asked for in so many words */
function exposure(where: Listening, plain: boolean): string | null {
  if (where.kind !== "tcp" || where.tls?.clients) return null;
  const address = listeningText(where);
  if (where.tls) {
    return `WARNING: ${address} is encrypted but lets everybody in: with --tlsverify only clients with a certificate are`;
  }
  if (!plain) {
    throw new Refusal(
      "invalid",
      `Cannot listen at ${address} without TLS: whoever reaches it is root on this machine. Use --tlsverify with --tlscacert, --tlscert and --tlskey, or say --tls=false if that is what you want`,
    );
  }
  return `WARNING: ${address} is served without encryption and without asking who calls: whoever reaches it is root on this machine. Use --tlsverify`;
}
