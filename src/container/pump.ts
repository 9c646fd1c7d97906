import type { Running } from "./launcher.ts";

/** Where a process's output goes, chunk by chunk; a promise makes it wait. */
export type Sink = (stream: "stdout" | "stderr", chunk: Uint8Array) => Promise<unknown> | undefined;

/** How long the end of the output is waited for after the process has ended: somebody else may hold the pipe. */
const GRACE = 3000;
/** Milliseconds that one container's output may keep the engine from everything else. */
const TURN = 5;

/**
 * Moves all output of a process to `sink`, holding one chunk per stream at most.
 * @returns a promise that resolves when the process has ended and its output is through, or `GRACE` later
 */
export async function pumpOutput(running: Running, sink: Sink): Promise<void> {
  const readers = running.outputs.map((output) => ({
    stream: output.stream,
    reader: output.read.getReader(),
  }));
  const drained = Promise.all(
    readers.map(async ({ stream, reader }) => {
      let since = performance.now();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const wait = sink(stream, value);
        if (wait) await wait;
        // What is there already is read without a turn of the event loop: others must get theirs.
        if (performance.now() - since > TURN) {
          await new Promise(setImmediate);
          since = performance.now();
        }
      }
    }),
  ).catch(() => undefined);
  await running.exited;
  if (await settled(drained)) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, GRACE);
  });
  await Promise.race([drained, late]);
  clearTimeout(timer);
  await Promise.all(readers.map(({ reader }) => reader.cancel().catch(() => undefined)));
}

/** Whether a promise settles within the current turn of the event loop. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const turn = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)));
  return Promise.race([promise.then(() => true), turn]);
}
