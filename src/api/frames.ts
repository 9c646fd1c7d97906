import { madeOnce } from "../oci/once.ts";
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

const framed = {
  stdout: madeOnce((chunk: Uint8Array) => frame("stdout", chunk)),
  stderr: madeOnce((chunk: Uint8Array) => frame("stderr", chunk)),
} as const;

/** As `frame`, made once for all who get this chunk of what a container says. */
export const frameForAll = (stream: "stdout" | "stderr", chunk: Uint8Array): Buffer => framed[stream](chunk);

/** The chunk in memory of its own, copied once for all who get it. */
export const copyForAll = madeOnce((chunk: Uint8Array) => Buffer.from(chunk));

const RAW = "application/vnd.docker.raw-stream";
const MULTIPLEXED = "application/vnd.docker.multiplexed-stream";

/** What the stream is called in the answer; before API 1.42 both were called raw. */
export const streamType = (terminal: boolean, minor: number): string =>
  terminal || minor < 42 ? RAW : MULTIPLEXED;

/** The same for a connection that is taken over: without an upgrade both are called raw. */
export const hijackType = (exchange: Exchange, terminal: boolean, minor: number): string =>
  streamType(terminal || exchange.head.headers.get("upgrade") === undefined, minor);
