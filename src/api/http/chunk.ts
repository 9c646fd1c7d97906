/** A piece of an answer that many get: its bytes, and the same as a chunk (RFC 9112, 7.1), made once for all. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly chunk: Uint8Array;
}

/** @param content not empty: an empty chunk would be the last */
export function pieceOf(content: string | Uint8Array): Piece {
  const length = typeof content === "string" ? Buffer.byteLength(content) : content.length;
  const size = `${length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + length + 2);
  chunk.write(size, "latin1");
  if (typeof content === "string") chunk.write(content, size.length);
  else chunk.set(content, size.length);
  chunk.write("\r\n", size.length + length, "latin1");
  return { bytes: chunk.subarray(size.length, size.length + length), chunk };
}
