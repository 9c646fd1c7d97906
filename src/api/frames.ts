import type { Exchange } from "./http/exchange.ts";

/**
 * Docker's way to put two streams into one: eight bytes before each piece, the stream (1 stdout, 2 stderr),
 * three zeros, and the length with the highest byte first.
 */
export function frame(stream: "stdout" | "stderr", chunk: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(8 + chunk.length);
  framed.writeUInt32BE(stream === "stdout" ? 0x01000000 : 0x02000000, 0);
  framed.writeUInt32BE(chunk.length, 4);
  framed.set(chunk, 8);
  return framed;
}

const framed = new WeakMap<Uint8Array, Buffer>();

/** As `frame`, made once for all who get this chunk of what a container says. */
export function frameForAll(stream: "stdout" | "stderr", chunk: Uint8Array): Buffer {
  const known = framed.get(chunk);
  if (known) return known;
  const made = frame(stream, chunk);
  framed.set(chunk, made);
  return made;
}

const copies = new WeakMap<Uint8Array, Buffer>();

/** The chunk in memory of its own, copied once for all who get it. */
export function copyForAll(chunk: Uint8Array): Buffer {
  const known = copies.get(chunk);
  if (known) return known;
  const made = Buffer.from(chunk);
  copies.set(chunk, made);
  return made;
}

const RAW = "application/vnd.docker.raw-stream";
const MULTIPLEXED = "application/vnd.docker.multiplexed-stream";

/** What the stream is called in the answer; before API 1.42 both were called raw. */
export const streamType = (terminal: boolean, minor: number): string =>
  terminal || minor < 42 ? RAW : MULTIPLEXED;

/** The same for a connection that is taken over: without an upgrade both are called raw. */
export const hijackType = (exchange: Exchange, terminal: boolean, minor: number): string =>
  streamType(terminal || exchange.head.headers.get("upgrade") === undefined, minor);
