import type { Socket } from "node:net";

/**
 * What a connection has sent and nobody has used yet. At about 64 KiB the sender waits, but for one who asks for
 * more than that at once.
 */
export interface Input {
  /** What is there now, maybe nothing. */
  readonly bytes: Buffer;
  /** Takes the first `count` bytes away. */
  drop(count: number): void;
  /** More bytes are there (true), or no more will come (false). */
  more(): Promise<boolean>;
  /** The other side has closed its half, or the whole connection. */
  readonly ended: boolean;
}

const HIGH = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** Begins to collect what a connection sends. */
export function createInput(socket: Socket): Input {
  let bytes: Buffer = NOTHING;
  let ended = false;
  let paused = false;
  let wake: (() => void) | null = null;
  const awaken = (): void => {
    const call = wake;
    wake = null;
    call?.();
  };
  const end = (): void => {
    ended = true;
    awaken();
  };
  const resume = (): void => {
    if (!paused) return;
    paused = false;
    socket.resume();
  };
  socket.on("data", (chunk: Buffer) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    if (bytes.length >= HIGH) {
      paused = true;
      socket.pause();
    }
    awaken();
  });
  socket.on("end", end);
  socket.on("close", end);
  return {
    get bytes() {
      return bytes;
    },
    get ended() {
      return ended;
    },
    drop(count) {
      bytes = count >= bytes.length ? NOTHING : bytes.subarray(count);
      if (bytes.length < HIGH) resume();
    },
    async more() {
      const before = bytes.length;
      resume();
      while (bytes.length === before && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return bytes.length > before;
    },
  };
}
