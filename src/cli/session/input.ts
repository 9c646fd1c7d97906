import { fs } from "../../host/builtin.ts";
import { caller } from "../caller/caller.ts";

let own: number | undefined;

/**
 * Next bytes of standard input; null at its end. One read at a time: what is not asked for stays where it is.
 * A non-blocking input that others share is opened once more, as outputs are in `caller/own.ts`.
 */
export async function readInput(): Promise<Uint8Array | null> {
  caller().own();
  const buffer = Buffer.allocUnsafe(32 * 1024);
  try {
    const count = await new Promise<number>((resolve, reject) => {
      fs().read(own ?? 0, buffer, 0, buffer.length, null, (error, n) => (error ? reject(error) : resolve(n)));
    });
    return count === 0 ? null : buffer.subarray(0, count);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EAGAIN" && own === undefined) {
      own = fs().openSync("/proc/self/fd/0", "r");
      return readInput();
    }
    // EIO: the terminal is gone, or this process is in its background.
    if (code === "EIO" || code === "EBADF") return null;
    throw error;
  }
}

/** Standard input as a stream, for uploads. */
export function inputStream(): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await readInput();
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
  });
}
