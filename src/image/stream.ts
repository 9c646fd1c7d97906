import type { Bytes } from "../storage/driver.ts";

/** The beginning of a stream (at most `count` bytes), and the stream with nothing taken from it. */
export async function peek(
  source: Bytes,
  count: number,
): Promise<{ readonly head: Uint8Array; readonly stream: Bytes }> {
  const chunks = source[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  let size = 0;
  while (size < count) {
    const next = await chunks.next();
    if (next.done === true) break;
    taken.push(next.value);
    size += next.value.length;
  }
  async function* stream(): AsyncGenerator<Uint8Array, void, void> {
    try {
      yield* taken;
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  }
  return { head: Buffer.concat(taken).subarray(0, count), stream: stream() };
}

/** All bytes of a stream that is known to be small; refused beyond `max`. */
export async function collect(source: Bytes, max: number, what: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > max) throw new Error(`Cannot read ${what}: it is larger than ${max} bytes`);
    chunks.push(chunk.slice());
  }
  return Buffer.concat(chunks);
}
