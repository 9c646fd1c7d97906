import { Refusal } from "../../oci/error.ts";
import type { TlsKeys } from "./tls.ts";

/** Where the API is served. */
export type Listening =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly tls: TlsKeys | null }
  /** Sockets that systemd has opened: all of them, or one by number or name. */
  | { readonly kind: "activated"; readonly which: string };

/** Docker's ports. */
const PLAIN_PORT = 2375;
const TLS_PORT = 2376;

const invalid = (message: string): Refusal => new Refusal("invalid", message);

/**
 * Reads `unix:///path`, `/path`, `tcp://host:port`, `fd://`, `fd://3`, `fd://cais.socket`.
 * @param tls what TCP is secured with; null where it is not
 */
export function parseListening(text: string, tls: TlsKeys | null): Listening {
  const path = /^(?:unix:\/\/)?(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) {
    // sun_path of unix(7) holds 108 bytes with its end.
    if (Buffer.byteLength(path) > 107)
      throw invalid(`Cannot listen at ${path}: a socket's path has at most 107 bytes`);
    return { kind: "unix", path };
  }
  const activated = /^fd:\/\/(.*)$/.exec(text);
  if (activated) return { kind: "activated", which: activated[1]! };
  const tcp = /^tcp:\/\/(\[[^\]]+\]|[^:/]*)(?::(\d+))?\/?$/.exec(text);
  if (!tcp)
    throw invalid(`Cannot listen at ${text.slice(0, 200)}: write unix:///path, tcp://host:port or fd://`);
  const port = Number(tcp[2] ?? (tls ? TLS_PORT : PLAIN_PORT));
  if (port > 65535) throw invalid(`Cannot listen at ${text}: ${port} is no port`);
  return { kind: "tcp", host: tcp[1]!.replace(/^\[|\]$/g, "") || "127.0.0.1", port, tls };
}

/** As people write it. */
export function listeningText(where: Listening): string {
  if (where.kind === "unix") return `unix://${where.path}`;
  if (where.kind === "activated") return `fd://${where.which}`;
  return `tcp://${where.host.includes(":") ? `[${where.host}]` : where.host}:${where.port}`;
}
