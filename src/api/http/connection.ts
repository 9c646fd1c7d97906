import type { Socket } from "node:net";
import { BadBody, createBody } from "./body.ts";
import { createExchange, type Exchange } from "./exchange.ts";
import { bodyLength, endOfHead, expectation, type Head, MAX_HEAD, parseHead } from "./head.ts";
import { createInput, type Input } from "./input.ts";

/** Answers one request; what it throws becomes an answer too. */
export type Handler = (exchange: Exchange) => Promise<void> | void;

export interface ConnectionOptions {
  readonly handler: Handler;
  /** Headers of every answer, each line with `\r\n`. */
  readonly common: string;
  /** Turns what a handler threw into the answer. */
  readonly failed: (exchange: Exchange, error: unknown) => void;
  /** Milliseconds that a client has for the rest of a head once it has begun one. */
  readonly patience: number;
}

/**
 * Serves HTTP/1.1 on a connection until it closes: keep-alive, pipelining, bodies by length or in chunks, and
 * connections that handlers take over. One for Node and Bun alike, because neither lets go of a connection
 * that was not upgraded (`docker attach` of older clients).
 */
export async function serveConnection(socket: Socket, options: ConnectionOptions): Promise<void> {
  const input = createInput(socket);
  let abandon = (): void => undefined;
  socket.on("error", () => socket.destroy());
  socket.on("close", () => abandon());
  const common = options.common;
  while (!socket.destroyed) {
    const head = await readHead(socket, input, options.patience);
    if (head === null) break;
    const length = typeof head === "string" ? head : (bodyLength(head) ?? "bad");
    const expected = typeof head === "string" ? null : expectation(head);
    const wrong = typeof length === "string" && length !== "chunked" ? length : undefined;
    if (typeof head === "string" || wrong !== undefined || expected === "unknown") {
      const [status, why] = REFUSED[wrong ?? "expect"];
      const text = `{"message":"${why}"}\n`;
      socket.write(
        `HTTP/1.1 ${status}\r\n${common}Connection: close\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
      );
      break;
    }
    const body = createBody(input, length as number | "chunked", expected === "continue", () => {
      socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    });
    const outcome = createExchange({ socket, input, common }, head, body);
    const { exchange, finished } = outcome;
    abandon = outcome.abandon;
    try {
      await options.handler(exchange);
    } catch (error) {
      options.failed(exchange, error);
    }
    if (!exchange.answered) options.failed(exchange, new Error("The handler gave no answer"));
    await finished;
    if (outcome.hijacked()) return;
    if (!outcome.keepAlive()) break;
    try {
      if (!(await body.discard())) break;
    } catch (error) {
      if (!(error instanceof BadBody)) throw error;
      break;
    }
  }
  socket.end();
}

const REFUSED = {
  bad: ["400 Bad Request", "malformed HTTP request"],
  long: ["431 Request Header Fields Too Large", "the request's headers are too large"],
  unknown: ["501 Not Implemented", "unsupported transfer encoding"],
  expect: ["417 Expectation Failed", "unsupported expectation"],
} as const;

/** The next head, null at the end of the connection, a word when it is no HTTP or too long. */
async function readHead(
  socket: Socket,
  input: Input,
  patience: number,
): Promise<Head | null | "bad" | "long"> {
  let timer: NodeJS.Timeout | undefined;
  try {
    for (;;) {
      const found = endOfHead(input.bytes);
      if (found && found.end <= MAX_HEAD) {
        const text = input.bytes.toString("latin1", 0, found.end);
        input.drop(found.next);
        return parseHead(text) ?? "bad";
      }
      if (input.bytes.length > MAX_HEAD) return "long";
      // An idle connection may stay; one that has begun to speak must finish.
      if (input.bytes.length > 0) timer ??= setTimeout(() => socket.destroy(), patience);
      if (!(await input.more())) return input.bytes.length > 0 ? "bad" : null;
    }
  } finally {
    clearTimeout(timer);
  }
}
