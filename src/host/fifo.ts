import { closeSync, constants, openSync, readSync } from "node:fs";

/** A FIFO's reading end. Nothing is read before somebody reads the stream: a full pipe stops its writer. */
export interface FifoReader {
  readonly stream: ReadableStream<Uint8Array>;
  /** Gives the descriptor back; an unfinished read of the stream ends. */
  close(): Promise<void>;
}

/** A FIFO's writing end. */
export interface FifoWriter {
  /** Resolves when the kernel has taken all bytes. Rejects with EPIPE when nobody reads any more. */
  write(chunk: Uint8Array): Promise<void>;
  close(): void;
}

/**
 * Resolves when nobody holds `path` open for writing, which at least one must have done. Nothing is expected to be
 * written.
 * @throws as open(2)
 */
export async function endOfFifo(path: string): Promise<void> {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const fifo = readOpened(descriptor);
  try {
    // Poll tells of the end only to those who came while there was a writer (pipe_poll in fs/pipe.c); read always does.
    if (!hasEnded(descriptor)) await fifo.stream.getReader().read();
  } finally {
    await fifo.close();
  }
}

function hasEnded(descriptor: number): boolean {
  try {
    return readSync(descriptor, new Uint8Array(1)) === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
    throw error;
  }
}

/**
 * Opens `path` for reading and writing, so that it never reads as ended, whoever comes and goes; only the
 * reader is used. Writers see `POLLERR` once this process is gone.
 * @throws as open(2)
 */
export function readOwnFifo(path: string): FifoReader {
  return readOpened(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
}

function readOpened(descriptor: number): FifoReader {
  const stream = Bun.file(descriptor).stream();
  let open = true;
  return {
    stream,
    async close() {
      if (!open) return;
      open = false;
      // A locked stream is cancelled by its reader; the descriptor stays ours in either case.
      if (!stream.locked) await stream.cancel();
      closeSync(descriptor);
    },
  };
}

/**
 * Opens `path` for writing, event-driven.
 * @throws as open(2); ENXIO when nobody holds the reading end
 */
export function writeFifo(path: string): FifoWriter {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const sink = Bun.file(descriptor).writer({ highWaterMark: 1 });
  let open = true;
  return {
    async write(chunk) {
      sink.write(chunk);
      await sink.flush();
    },
    close() {
      if (!open) return;
      open = false;
      // Ending a sink flushes it and leaves the descriptor to whoever opened it.
      const ended: number | Promise<number> = sink.end();
      const done = (): void => closeSync(descriptor);
      if (typeof ended === "number") done();
      else ended.then(done, done);
    },
  };
}
