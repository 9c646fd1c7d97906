/** One piece of a container's output. */
export interface Piece {
  /** 1 output, 2 error, 3 the engine's own complaint. */
  readonly channel: 1 | 2 | 3;
  readonly bytes: Uint8Array;
}

export type Source = () => Promise<Uint8Array | null>;

/**
 * Takes apart the engine's multiplexed streams: an 8-byte head (channel, three zero bytes, length as a
 * big-endian 32-bit number), then that many bytes (Docker Engine API, "Stream format"). Pieces are passed on as
 * they arrive, however long their frame is, so nothing is ever held back; neighbours of one channel that arrive
 * together are one piece: a log has a frame for each line. Overwrites what it reads.
 * @throws Error when the stream is not one
 */
export async function* demultiplex(read: Source): AsyncGenerator<Piece> {
  let head: number[] = [];
  let channel: Piece["channel"] = 1;
  let left = 0;
  for (let chunk = await read(); chunk !== null; chunk = await read()) {
    let at = 0;
    // The piece that is being put together, moved up over the heads in between.
    let from = 0;
    let to = 0;
    while (at < chunk.length) {
      if (left === 0) {
        head.push(chunk[at++] as number);
        if (head.length < 8) continue;
        const kind = head[0];
        if (kind !== 0 && kind !== 1 && kind !== 2 && kind !== 3)
          throw new Error(`Cannot read the engine's stream: unrecognized stream: ${kind}`);
        // 0 is standard input, which Docker writes to standard output.
        const next = kind === 0 ? 1 : kind;
        if (next !== channel && to > from) {
          yield { channel, bytes: chunk.subarray(from, to) };
          from = to;
        }
        channel = next;
        left = new DataView(Uint8Array.from(head).buffer).getUint32(4);
        head = [];
        continue;
      }
      const end = Math.min(chunk.length, at + left);
      if (to === from) {
        from = at;
        to = at;
      } else chunk.copyWithin(to, at, end);
      to += end - at;
      left -= end - at;
      at = end;
    }
    if (to > from) yield { channel, bytes: chunk.subarray(from, to) };
  }
  if (left > 0 || head.length > 0) throw new Error("Cannot read the engine's stream: it ended in the middle");
}

/** A terminal's stream has one channel and no heads. */
export async function* single(read: Source): AsyncGenerator<Piece> {
  for (let chunk = await read(); chunk !== null; chunk = await read()) yield { channel: 1, bytes: chunk };
}

/** Values that the engine sends one after the other as JSON. Each line is one value. */
export async function* jsonLines<T>(read: Source): AsyncGenerator<T> {
  for await (const line of textLines(read)) yield JSON.parse(line) as T;
}

/** The lines of a stream, without blank ones. */
export async function* textLines(read: Source): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let chunk = await read(); chunk !== null; chunk = await read()) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const line = text.slice(0, end).trim();
      text = text.slice(end + 1);
      if (line) yield line;
    }
  }
  if (text.trim()) yield text.trim();
}
