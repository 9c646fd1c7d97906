import { connect, type Socket } from "node:net";

/** A request to an engine, the same for both. */
export interface Request {
  readonly method: string;
  readonly path: string;
  /** Sent as JSON; bytes and texts as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent once the head of the answer is there, then our half of the connection is closed. */
  readonly input?: string;
}

export interface Answer {
  readonly status: number;
  /** Names as they were sent. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Longest that an answer may take. */
const PATIENCE = 20_000;

/** One request on a connection of its own. The answer is read until the engine closes it. */
export function ask(socketPath: string, request: Request): Promise<Answer> {
  const { method, path, body, headers = {}, input } = request;
  const bytes =
    body === undefined
      ? null
      : Buffer.isBuffer(body)
        ? body
        : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const all: Record<string, string> = { Host: "docker" };
  // A connection that both sides take over is upgraded, or (the older form) just taken.
  if (input === undefined) all.Connection = "close";
  if (bytes) Object.assign(all, { "Content-Type": "application/json", "Content-Length": `${bytes.length}` });
  else if (method === "POST") all["Content-Length"] = "0";
  const lines = Object.entries({ ...all, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ path: socketPath, allowHalfOpen: true });
    const parts: Buffer[] = [];
    let size = 0;
    let sent = false;
    const timer = setTimeout(() => {
      socket.destroy();
      reject(
        new Error(
          `${method} ${path} is not answered; so far: ${Buffer.concat(parts).toString("latin1").slice(0, 600)}`,
        ),
      );
    }, PATIENCE);
    socket.on("data", (chunk: Buffer) => {
      parts.push(chunk);
      size += chunk.length;
      if (input === undefined || sent) return;
      if (!Buffer.concat(parts, size).includes("\r\n\r\n")) return;
      sent = true;
      socket.end(input);
    });
    const done = (): void => {
      clearTimeout(timer);
      socket.destroy();
      try {
        resolve(parse(Buffer.concat(parts, size), method));
      } catch (error) {
        reject(new Error(`${method} ${path}: ${String(error)}`));
      }
    };
    socket.on("end", done);
    // An engine may answer and close before it has read everything: what it said counts.
    let failure: Error | undefined;
    socket.on("error", (error) => {
      failure = error;
    });
    socket.on("close", () => {
      if (size > 0) return done();
      clearTimeout(timer);
      reject(failure ?? new Error(`${method} ${path}: closed without an answer`));
    });
    // In one piece: an engine that refuses by the head alone must not be written to any more.
    const requestHead = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    socket.write(bytes ? Buffer.concat([requestHead, bytes]) : requestHead);
  });
}

function parse(bytes: Buffer, method: string): Answer {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) throw new Error(`no HTTP: ${bytes.toString("latin1").slice(0, 200)}`);
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]);
  const headers = new Map(lines.map((line) => [line.split(":", 1)[0] ?? "", line.replace(/^[^:]*:\s*/, "")]));
  const rest = bytes.subarray(end + 4);
  if (status === 100) return parse(rest, method);
  const chunked = headers.get("Transfer-Encoding") === "chunked" && method !== "HEAD";
  return { status, headers, body: chunked ? unchunked(rest) : rest };
}

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf("\r\n", at);
    // A stream that was cut: what came is what there is.
    if (end < 0) break;
    const length = Number.parseInt(bytes.toString("latin1", at, end), 16);
    if (length === 0) break;
    parts.push(bytes.subarray(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
  return Buffer.concat(parts);
}
