import type { Duplex } from "../host/socket.ts";
import { connect } from "../host/socket.ts";
import { EngineError } from "./error.ts";
import type { Engine } from "./request.ts";

/** A connection that has left HTTP behind. */
export interface Hijacked {
  readonly duplex: Duplex;
  /** One stream without headers, as terminals and API 1.42 say it. */
  readonly raw: boolean;
}

/**
 * POST with an upgrade to a plain two-way stream (Docker Engine API, "Hijacking"). Both answers are fine:
 * `101 UPGRADED` and the older `200` whose connection simply goes on.
 * @throws EngineError when the engine refuses
 */
export async function hijack(engine: Engine, path: string, json?: unknown): Promise<Hijacked> {
  const duplex = await connect(engine.endpoint);
  const body = json === undefined ? "" : JSON.stringify(json);
  const head = [
    `POST ${path} HTTP/1.1`,
    "Host: cais",
    "Connection: Upgrade",
    "Upgrade: tcp",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ].join("\r\n");
  await duplex.write(Buffer.from(`${head}\r\n\r\n${body}`));
  const { text, rest } = await readHead(duplex);
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1]);
  const type = /^content-type: *(\S+)/im.exec(text)?.[1] ?? "";
  if (status === 101 || status === 200)
    return { duplex: withFirst(duplex, rest), raw: type.includes("raw-stream") };
  throw new EngineError(status, await refusal(duplex, text, rest));
}

const HEAD_LIMIT = 64 * 1024;

async function readHead(duplex: Duplex): Promise<{ readonly text: string; readonly rest: Uint8Array }> {
  let seen = Buffer.alloc(0);
  for (;;) {
    const end = seen.indexOf("\r\n\r\n");
    if (end >= 0) return { text: seen.toString("latin1", 0, end), rest: seen.subarray(end + 4) };
    const chunk = seen.length > HEAD_LIMIT ? null : await duplex.read();
    if (chunk === null) throw new EngineError(0, "the engine closed the connection without an answer");
    seen = Buffer.concat([seen, chunk]);
  }
}

/** The message of a refusal, whose length the head tells or the connection's end. */
async function refusal(duplex: Duplex, head: string, rest: Uint8Array): Promise<string> {
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  let body = Buffer.from(rest);
  while (length === undefined || body.length < Number(length)) {
    if (body.includes("0\r\n\r\n") && /^transfer-encoding: *chunked/im.test(head)) break;
    const chunk = await duplex.read();
    if (chunk === null) break;
    body = Buffer.concat([body, chunk]);
  }
  duplex.close();
  const text = body.toString();
  try {
    return String(
      (JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as { message: unknown }).message,
    );
  } catch {
    return text.trim() || (head.split("\r\n")[0] ?? "");
  }
}

function withFirst(duplex: Duplex, first: Uint8Array): Duplex {
  let rest: Uint8Array | undefined = first.length ? first : undefined;
  return {
    ...duplex,
    async read() {
      const chunk = rest;
      rest = undefined;
      return chunk ?? duplex.read();
    },
  };
}
