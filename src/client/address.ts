import type { ClientTls, Endpoint } from "../host/socket.ts";

/**
 * Reads `unix:///run/cais/cais.sock`, `/run/cais/cais.sock`, `tcp://host:port`, `host:port`.
 * @param tls what TCP is secured with
 * @throws Error naming what is wrong with it
 */
export function parseAddress(text: string, tls?: ClientTls): Endpoint {
  if (text.startsWith("unix://")) return unix(text.slice(7), text);
  if (text.startsWith("/")) return unix(text, text);
  const match = /^(?:tcp:\/\/|http:\/\/)?(\[[^\]]+\]|[^:/]*)(?::(\d+))?\/?$/.exec(text);
  if (!match) throw new Error(`Cannot read the address "${text}": write unix:///path or tcp://host:port`);
  const port = Number(match[2] ?? (tls ? 2376 : 2375));
  if (port < 1 || port > 65535) throw new Error(`Cannot read the address "${text}": ${port} is no port`);
  return { kind: "tcp", host: match[1] || "127.0.0.1", port, ...(tls && { tls }) };
}

function unix(path: string, text: string): Endpoint {
  if (!path.startsWith("/")) throw new Error(`Cannot read the address "${text}": the path must be absolute`);
  // sun_path of unix(7) holds 108 bytes with its end.
  if (Buffer.byteLength(path) > 107)
    throw new Error(
      `Cannot use the socket "${path}": its path is longer than the 107 bytes of a socket's name`,
    );
  return { kind: "unix", path };
}

/** An address as people write it. */
export function addressText(endpoint: Endpoint): string {
  return endpoint.kind === "unix" ? `unix://${endpoint.path}` : `tcp://${endpoint.host}:${endpoint.port}`;
}
