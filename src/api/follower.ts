import type { Piece } from "./http/chunk.ts";
import type { Stream } from "./http/exchange.ts";

/**
 * Sends pieces to a client in their order, as fast as it reads them.
 * @param most pieces that wait for a slow one
 * @param tooSlow called instead of taking one more
 */
export function followedBy(stream: Stream, most: number, tooSlow: () => void): (piece: Piece) => void {
  const queue: Piece[] = [];
  let waiting = false;
  const goOn = async (): Promise<void> => {
    for (let piece = queue.shift(); piece; piece = queue.shift()) await stream.write(piece);
    waiting = false;
  };
  return (piece) => {
    if (!waiting) {
      const wait = stream.write(piece);
      if (!wait) return;
      waiting = true;
      void wait.then(goOn);
    } else if (queue.length < most) queue.push(piece);
    else tooSlow();
  };
}
