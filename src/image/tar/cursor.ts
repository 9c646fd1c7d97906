import type { Bytes } from "../../storage/driver.ts";

/** Reads a stream by exact counts, without copying what is already whole. */
export interface Cursor {
  /** Exactly `count` bytes, or undefined when the stream ends before (some may have been there). */
  exactly(count: number): Promise<Uint8Array | undefined>;
  /** Between one and `max` bytes, or undefined at the end. Valid until the next call. */
  some(max: number): Promise<Uint8Array | undefined>;
  /** Passes over `count` bytes; false when the stream ends before. */
  skip(count: number): Promise<boolean>;
  /** Reads the rest to its end. */
  drain(): Promise<void>;
  /** Tells the source that no more is wanted. */
  close(): Promise<void>;
}

/** Reads `source` from its beginning. */
export function cursorOf(source: Bytes): Cursor {
  const chunks = source[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);
  let at = 0;
  let ended = false;

  async function fill(): Promise<boolean> {
    while (at >= chunk.length && !ended) {
      const next = await chunks.next();
      if (next.done === true) ended = true;
      else {
        chunk = next.value;
        at = 0;
      }
    }
    return at < chunk.length;
  }
  async function some(max: number): Promise<Uint8Array | undefined> {
    if (at >= chunk.length && !(await fill())) return undefined;
    const part = chunk.subarray(at, at + max);
    at += part.length;
    return part;
  }
  return {
    some,
    async exactly(count) {
      if (chunk.length - at >= count) {
        at += count;
        return chunk.subarray(at - count, at);
      }
      const whole = new Uint8Array(count);
      let have = 0;
      while (have < count) {
        const part = await some(count - have);
        if (part === undefined) return undefined;
        whole.set(part, have);
        have += part.length;
      }
      return whole;
    },
    async skip(count) {
      let left = count;
      while (left > 0) {
        const part = await some(left);
        if (part === undefined) return false;
        left -= part.length;
      }
      return true;
    },
    async drain() {
      while ((await some(Number.MAX_SAFE_INTEGER)) !== undefined);
    },
    async close() {
      ended = true;
      await chunks.return?.();
    },
  };
}
