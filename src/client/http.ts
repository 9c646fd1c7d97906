import { connect, type Duplex, type Endpoint } from "../host/socket.ts";
import { type Incoming, incoming } from "./incoming.ts";

/** What is asked of a server. */
export interface Exchange {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** An answer whose head is there. Its body is read once, in one of the ways. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** A header's value by its name in lower case. */
  header(name: string): string | undefined;
  /** Next bytes of the body; null at its end. @throws Error when the connection ends before the body */
  next(): Promise<Uint8Array | null>;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

/** A connection that was asked to leave HTTP behind, with the answer to that. */
export interface Upgrade {
  readonly answer: Answer;
  /** The connection, with whatever came after the head. */
  readonly duplex: Duplex;
}

/** Connections between two requests, by where they lead. */
const idle = new Map<string, Duplex[]>();

/**
 * One HTTP/1.1 exchange (RFC 9112) on a connection that is kept for the next one. Speaks on the socket itself:
 * `fetch` starts a thread of its own, which costs a command a millisecond, and cannot hijack. Waits without a time
 * limit: `wait` and `events` may be silent for days.
 * @throws an Error with `code` ENOENT, ECONNREFUSED, EACCES… when nothing listens there
 */
export async function exchange(endpoint: Endpoint, path: string, it: Exchange): Promise<Answer> {
  it.signal?.throwIfAborted();
  const key = JSON.stringify(endpoint);
  const kept = idle.get(key)?.pop();
  const duplex = kept ?? (await connect(endpoint));
  const abort = () => duplex.close();
  it.signal?.addEventListener("abort", abort);
  try {
    const input = incoming(duplex);
    await send(duplex, path, it);
    const head = await input.head();
    // The server may have closed a kept connection in the meantime: nothing was answered, so nothing is lost.
    if (head === null && kept !== undefined) return await exchange(endpoint, path, it);
    if (head === null) throw gone();
    return answer(head, input, it.method, (reusable) => {
      it.signal?.removeEventListener("abort", abort);
      if (!reusable) return duplex.close();
      const others = idle.get(key);
      if (others === undefined) idle.set(key, [duplex]);
      else others.push(duplex);
    });
  } catch (error) {
    it.signal?.throwIfAborted();
    throw error;
  }
}

/** Asks to leave HTTP behind on a connection of its own (Docker Engine API, "Hijacking"). */
export async function upgrade(
  endpoint: Endpoint,
  path: string,
  json: unknown,
  signal?: AbortSignal,
): Promise<Upgrade> {
  signal?.throwIfAborted();
  const duplex = await connect(endpoint);
  signal?.addEventListener("abort", () => duplex.close());
  const input = incoming(duplex);
  await send(duplex, path, {
    method: "POST",
    headers: { connection: "Upgrade", upgrade: "tcp", "content-type": "application/json" },
    body: json === undefined ? "" : JSON.stringify(json),
  });
  const head = await input.head();
  if (head === null) throw gone();
  return {
    answer: answer(head, input, "POST", () => duplex.close()),
    duplex: { ...duplex, read: input.read },
  };
}

const gone = () => new Error("the engine closed the connection without an answer");

async function send(duplex: Duplex, path: string, { method, headers, body }: Exchange): Promise<void> {
  let head = `${method} ${path} HTTP/1.1\r\nhost: cais\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  if (body instanceof ReadableStream) {
    await duplex.write(Buffer.from(`${head}transfer-encoding: chunked\r\n\r\n`));
    // The engine may refuse before it has read everything: its answer tells, not our failed write.
    void sendChunks(duplex, body).catch(() => {});
    return;
  }
  const bytes = Buffer.from(body ?? "");
  const length = body === undefined && method !== "POST" ? "" : `content-length: ${bytes.length}\r\n`;
  await duplex.write(Buffer.concat([Buffer.from(`${head}${length}\r\n`), bytes]));
}

async function sendChunks(duplex: Duplex, body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (next.value.length === 0) continue;
      await duplex.write(Buffer.from(`${next.value.length.toString(16)}\r\n`));
      await duplex.write(next.value);
      await duplex.write(Buffer.from("\r\n"));
    }
    await duplex.write(Buffer.from("0\r\n\r\n"));
  } catch (error) {
    duplex.close();
    throw error;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** @param done called once when the body has been read; whether the connection is good for more */
function answer(head: string, input: Incoming, method: string, done: (reusable: boolean) => void): Answer {
  const [line = "", ...lines] = head.split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(line)?.[1]);
  if (!status) throw new Error(`the engine did not answer in HTTP: ${line.slice(0, 80)}`);
  const headers = new Map<string, string>();
  for (const text of lines) {
    const colon = text.indexOf(":");
    headers.set(text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim());
  }
  const keeps = headers.get("connection")?.toLowerCase() !== "close" && status !== 101;
  const empty = method === "HEAD" || status === 204 || status === 304;
  const length = headers.get("content-length");
  const body = empty
    ? input.exactly(0)
    : headers.get("transfer-encoding")?.toLowerCase() === "chunked"
      ? input.chunks()
      : length === undefined
        ? input.read
        : input.exactly(Number(length));
  let over = false;
  const finish = () => {
    if (!over) done(keeps && (empty || body !== input.read));
    over = true;
  };
  if (empty || length === "0") finish();
  const next = async () => {
    if (over) return null;
    const bytes = await body();
    if (bytes === null) finish();
    return bytes;
  };
  const text = async () => {
    const pieces: Uint8Array[] = [];
    for (let bytes = await next(); bytes !== null; bytes = await next()) pieces.push(bytes);
    return Buffer.concat(pieces).toString();
  };
  return {
    status,
    reason: line.slice(13),
    header: (name) => headers.get(name),
    next,
    text,
    json: async () => JSON.parse(await text()) as unknown,
  };
}
