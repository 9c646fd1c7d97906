import type { Duplex } from "../host/socket.ts";

type Source = () => Promise<Uint8Array | null>;

/** What arrives on a connection, taken apart as HTTP/1.1 says (RFC 9112, sections 2 and 7). */
export interface Incoming {
  /** The next head without its empty line; null when the connection ends before its first byte. */
  head(): Promise<string | null>;
  /** The next bytes, whatever they are; null at the end of the connection. */
  readonly read: Source;
  /** A body of `length` bytes. */
  exactly(length: number): Source;
  /** A body in chunks. */
  chunks(): Source;
}

const HEAD_LIMIT = 64 * 1024;
const CUT = "the engine's answer ended in the middle";

/** Takes the bytes of a connection apart. Nothing is read ahead of what is asked for but the rest of a packet. */
export function incoming(duplex: Duplex): Incoming {
  let rest = Buffer.alloc(0);

  const read: Source = async () => {
    if (rest.length === 0) return duplex.read();
    const bytes = rest;
    rest = Buffer.alloc(0);
    return bytes;
  };

  /** Everything before `mark`, which is taken too; null at the end of the connection. */
  const until = async (mark: string): Promise<string | null> => {
    for (;;) {
      const end = rest.indexOf(mark);
      if (end >= 0) {
        const text = rest.toString("latin1", 0, end);
        rest = rest.subarray(end + mark.length);
        return text;
      }
      if (rest.length > HEAD_LIMIT) throw new Error("the engine's answer has a head without an end");
      const bytes = await duplex.read();
      if (bytes === null && rest.length === 0) return null;
      if (bytes === null) throw new Error(CUT);
      rest = rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([rest, bytes]);
    }
  };

  const exactly = (length: number): Source => {
    let left = length;
    return async () => {
      if (left === 0) return null;
      const bytes = await read();
      if (bytes === null) throw new Error(CUT);
      if (bytes.length > left) rest = Buffer.from(bytes.subarray(left));
      const ours = bytes.subarray(0, left);
      left -= ours.length;
      return ours;
    };
  };

  const chunks = (): Source => {
    let chunk: Source | undefined;
    return async () => {
      for (;;) {
        const bytes = (await chunk?.()) ?? null;
        if (bytes !== null) return bytes;
        if (chunk !== undefined) await until("\r\n");
        const line = await until("\r\n");
        const size = Number.parseInt(line ?? "", 16);
        if (line === null || !(size >= 0)) throw new Error(CUT);
        if (size > 0) {
          chunk = exactly(size);
          continue;
        }
        while ((await until("\r\n")) !== "") {
          // Trailers say nothing to us.
        }
        chunk = exactly(0);
        return null;
      }
    };
  };

  return { head: () => until("\r\n\r\n"), read, exactly, chunks };
}
