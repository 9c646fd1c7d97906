import { createHash } from "node:crypto";
import type { Exchange, Hijacked } from "./exchange.ts";

/** A connection that speaks the WebSocket protocol (RFC 6455), the server's end. */
export interface WebSocket {
  /** What the client sends, piece by piece, whatever its frames; ends when it closes. */
  input(): AsyncGenerator<Buffer, void>;
  /** One frame. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  end(): void;
}

/** RFC 6455, 1.3. */
const MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** RFC 6455, 5.2 and 7.4.1. */
const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const NORMAL = 1000;
const PROTOCOL_ERROR = 1002;
const MAX_CONTROL = 125;

/** Why a request cannot become a WebSocket, in Docker's words; null when it can. */
export function badHandshake({ head }: Exchange): string | null {
  const { headers, method } = head;
  const has = (name: string, word: string): boolean =>
    (headers.get(name) ?? "")
      .toLowerCase()
      .split(/\s*,\s*/)
      .includes(word);
  if (method !== "GET" || !has("upgrade", "websocket") || !has("connection", "upgrade"))
    return "not websocket protocol";
  if (Buffer.from(headers.get("sec-websocket-key") ?? "", "base64").length !== 16)
    return "mismatch challenge/response";
  return headers.get("sec-websocket-version") === "13" ? null : "missing or bad WebSocket Version";
}

/** Answers the handshake; `badHandshake` has found nothing. @param binary what frames are sent as, else text */
export function openWebSocket(exchange: Exchange, binary: boolean): WebSocket {
  const key = exchange.head.headers.get("sec-websocket-key") ?? "";
  const accept = createHash("sha1")
    .update(key.trim() + MAGIC)
    .digest("base64");
  const connection = exchange.upgrade(
    `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n`,
  );
  let open = true;
  const close = (code: number): void => {
    if (!open) return;
    open = false;
    const reason = Buffer.alloc(2);
    reason.writeUInt16BE(code);
    connection.write(frame(OPCODES.close, reason));
    connection.end();
  };
  return {
    async *input() {
      const end = yield* payloads(connection, (data) => (open ? connection.write(data) : undefined));
      close(end);
    },
    write: (chunk) =>
      open ? connection.write(frame(binary ? OPCODES.binary : OPCODES.text, chunk)) : undefined,
    end: () => close(NORMAL),
  };
}

/** A server's frame: whole, not masked. */
function frame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (length < 126) head[1] = length;
  else if (length < 65536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/**
 * The client's frames as bytes; nothing but one chunk of the connection is ever held, however long a frame says
 * it is. Pings are answered.
 * @returns the code to close with
 */
async function* payloads(
  connection: Hijacked,
  reply: (data: Buffer) => Promise<void> | undefined,
): AsyncGenerator<Buffer, number> {
  const reader = bytesOf(connection);
  let within = false;
  for (;;) {
    const start = await reader.take(2);
    if (!start) return NORMAL;
    const [first = 0, second = 0] = start;
    const [final, opcode, short] = [(first & 0x80) !== 0, first & 0x0f, second & 0x7f];
    const control = opcode >= OPCODES.close;
    // Reserved bits need an extension that nobody agreed on; a client masks what it sends (RFC 6455, 5.1).
    if ((first & 0x70) !== 0 || (second & 0x80) === 0) return PROTOCOL_ERROR;
    if (control && (!final || short > MAX_CONTROL)) return PROTOCOL_ERROR;
    if (!control && (opcode > OPCODES.binary || within !== (opcode === OPCODES.continuation)))
      return PROTOCOL_ERROR;
    const long = short < 126 ? Buffer.alloc(0) : await reader.take(short === 126 ? 2 : 8);
    const mask = await reader.take(4);
    if (!long || !mask) return NORMAL;
    const length = short < 126 ? short : short === 126 ? long.readUInt16BE() : Number(long.readBigUInt64BE());
    if (control) {
      const data = await reader.take(length);
      if (!data || opcode === OPCODES.close) return NORMAL;
      if (opcode === OPCODES.ping) await reply(frame(OPCODES.pong, unmask(data, mask, 0)));
      else if (opcode !== OPCODES.pong) return PROTOCOL_ERROR;
      continue;
    }
    within = !final;
    for (let at = 0; at < length; ) {
      const piece = await reader.upTo(length - at);
      if (!piece) return NORMAL;
      yield unmask(piece, mask, at);
      at += piece.length;
    }
  }
}

/** RFC 6455, 5.3. @param at where in its frame the piece begins */
function unmask(piece: Buffer, mask: Buffer, at: number): Buffer {
  const plain = Buffer.allocUnsafe(piece.length);
  for (let n = 0; n < piece.length; n++) plain[n] = piece[n]! ^ mask[(at + n) & 3]!;
  return plain;
}

interface Bytes {
  /** Exactly so many; null at the end. */
  take(count: number): Promise<Buffer | null>;
  /** At least one, at most so many; null at the end. */
  upTo(count: number): Promise<Buffer | null>;
}

function bytesOf(connection: Hijacked): Bytes {
  const source = connection.input();
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const { value, done } = await source.next();
    // The chunk is the connection's own until the next one is asked for.
    if (!done) held = Buffer.concat([held, value]);
    return !done;
  };
  const cut = (count: number): Buffer => {
    const piece = held.subarray(0, count);
    held = held.subarray(piece.length);
    return piece;
  };
  return {
    async take(count) {
      while (held.length < count) if (!(await more())) return null;
      return cut(count);
    },
    async upTo(count) {
      while (held.length === 0) if (!(await more())) return null;
      return cut(count);
    },
  };
}
