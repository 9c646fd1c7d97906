import type { Socket } from "node:net";
import type { Body } from "./body.ts";
import { type Piece, pieceOf } from "./chunk.ts";
import type { Head } from "./head.ts";
import type { Input } from "./input.ts";
import { paddedFor } from "./padding.ts";

/** An answer that is written in pieces. */
export interface Stream {
  /** Resolves when the client can take more, or is gone. */
  write(content: string | Uint8Array | Piece): Promise<void> | undefined;
  end(): void;
}

/** A connection that is no longer HTTP. Both halves close on their own. */
export interface Hijacked {
  /** What the client sends; ends when it closes its half. */
  input(): AsyncGenerator<Buffer, void>;
  write(chunk: Uint8Array): Promise<void> | undefined;
  end(): void;
}

/** One request and its answer. */
export interface Exchange {
  readonly head: Head;
  readonly query: URLSearchParams;
  readonly body: Body;
  /** Fires when the client is gone. */
  readonly gone: AbortSignal;
  readonly answered: boolean;
  /** Called once when the connection is over. */
  onClose(call: () => void): void;
  reply(status: number, body?: string | Uint8Array, type?: string, headers?: Record<string, string>): void;
  /** Begins an answer in chunks. */
  begin(status: number, type: string, headers?: Record<string, string>): Stream;
  /** Takes the connection over: 101 for clients that ask to upgrade, 200 for the others. */
  hijack(type: string): Hijacked;
  /** Takes the connection over with a 101 of one's own. @param headers each line with its end */
  upgrade(headers: string): Hijacked;
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  204: "No Content",
  301: "Moved Permanently",
  304: "Not Modified",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  413: "Payload Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
};

export interface Link {
  readonly socket: Socket;
  readonly input: Input;
  /** Headers that every answer has, each line with its end. */
  readonly common: string;
}

/** What the connection must know afterwards. */
export interface Outcome {
  readonly exchange: Exchange;
  readonly keepAlive: () => boolean;
  readonly hijacked: () => boolean;
  /** Resolves when the answer is complete, or was abandoned. */
  readonly finished: Promise<void>;
  /** The client is gone. */
  abandon(): void;
}

/** The exchange for a request whose head was read. */
export function createExchange({ socket, input, common }: Link, head: Head, body: Body): Outcome {
  const wanted = head.headers.get("connection")?.toLowerCase() ?? "";
  let keep = head.http10 ? wanted.includes("keep-alive") : !wanted.includes("close");
  let answered = false;
  let hijacked = false;
  let query: URLSearchParams | null = null;
  let abort: AbortController | null = null;
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });

  const headText = (status: number, headers: Record<string, string>): string => {
    let text = `HTTP/1.${head.http10 ? 0 : 1} ${status} ${REASONS[status] ?? "Unknown"}\r\n${common}`;
    for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
    if (!keep) text += "Connection: close\r\n";
    else if (head.http10) text += "Connection: keep-alive\r\n";
    return text;
  };
  const claim = (): void => {
    if (answered) throw new Error("This request is answered already");
    answered = true;
  };
  const write = (chunk: string | Uint8Array): Promise<void> | undefined =>
    socket.destroyed || socket.write(chunk) ? undefined : drained(socket);

  const takeOver = (answer: string): Hijacked => {
    claim();
    hijacked = true;
    socket.write(answer);
    return {
      async *input() {
        for (;;) {
          const bytes = input.bytes;
          if (bytes.length > 0) {
            yield bytes;
            input.drop(bytes.length);
          } else if (input.ended || !(await input.more())) {
            if (input.bytes.length === 0) return;
          }
        }
      },
      write,
      end() {
        socket.end();
        finish();
      },
    };
  };

  const exchange: Exchange = {
    head,
    body,
    get query() {
      query ??= new URLSearchParams(head.search);
      return query;
    },
    get gone() {
      if (!abort) {
        const controller = new AbortController();
        abort = controller;
        const fire = (): void => controller.abort();
        if (input.ended || socket.destroyed) fire();
        socket.once("close", fire);
        socket.once("end", fire);
        void finished.then(() => {
          socket.off("close", fire);
          socket.off("end", fire);
        });
      }
      return abort.signal;
    },
    get answered() {
      return answered;
    },
    onClose(call) {
      if (socket.destroyed) call();
      else socket.once("close", call);
    },
    reply(status, content = "", type = content === "" ? "" : "application/json", headers = {}) {
      claim();
      const text = headText(status, headers);
      const length = typeof content === "string" ? Buffer.byteLength(content) : content.length;
      if (status === 204 || status === 304) socket.write(`${text}\r\n`);
      else {
        const what = type === "" ? "" : `Content-Type: ${type}\r\n`;
        const full = `${text}${what}Content-Length: ${length}\r\n\r\n`;
        if (head.method === "HEAD") socket.write(full);
        else if (typeof content === "string") socket.write(full + content);
        else {
          socket.write(full);
          socket.write(content);
        }
      }
      finish();
    },
    begin(status, type, headers = {}) {
      claim();
      // HTTP/1.0 knows no chunks: the end of the connection is the end of the answer.
      if (head.http10) keep = false;
      const chunked = !head.http10;
      const coding = chunked ? "Transfer-Encoding: chunked\r\n" : "";
      socket.write(`${headText(status, headers)}Content-Type: ${type}\r\n${coding}\r\n`);
      let open = true;
      return {
        write(content) {
          if (!open) return undefined;
          if (typeof content === "object" && "chunk" in content)
            return write(chunked ? content.chunk : content.bytes);
          if (content.length === 0) return undefined;
          if (!chunked) return write(content);
          if (typeof content === "string")
            return write(`${Buffer.byteLength(content).toString(16)}\r\n${content}\r\n`);
          // In one write: each wakes the reader.
          return write(pieceOf(content).chunk);
        },
        end() {
          if (!open) return;
          open = false;
          if (chunked) socket.write("0\r\n\r\n");
          finish();
        },
      };
    },
    hijack(type) {
      const upgrade = head.headers.get("upgrade");
      const answer =
        upgrade === undefined
          ? `HTTP/1.1 200 OK\r\n${common}Content-Type: ${type}\r\n\r\n`
          : `HTTP/1.1 101 UPGRADED\r\n${common}Content-Type: ${type}\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`;
      return takeOver(paddedFor(head, answer));
    },
    upgrade: (headers) => takeOver(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`),
  };
  return { exchange, keepAlive: () => keep, hijacked: () => hijacked, finished, abandon: () => finish() };
}

/** The socket can take more, or is gone. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.once("drain", done);
    socket.once("close", done);
  });
}
