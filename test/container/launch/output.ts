import type { Ended, Running, StreamName } from "../../../src/container/launcher.ts";

/** The output of a process as streams; not reading them stops it. Call once. */
export function streamsOf(
  running: Pick<Running | Ended, "drain">,
): Readonly<Record<StreamName, ReadableStream<Uint8Array>>> {
  const controllers = new Map<StreamName, ReadableStreamDefaultController<Uint8Array>>();
  const waiting = new Map<StreamName, () => void>();
  const streamOf = (name: StreamName) =>
    new ReadableStream<Uint8Array>({
      start: (controller) => void controllers.set(name, controller),
      pull: () => waiting.get(name)?.(),
    });
  const streams = { stdout: streamOf("stdout"), stderr: streamOf("stderr") };
  const through = running.drain({
    write(name, chunk) {
      const controller = controllers.get(name)!;
      controller.enqueue(new Uint8Array(chunk));
      if ((controller.desiredSize ?? 0) > 0) return undefined;
      return new Promise<void>((resolve) => waiting.set(name, resolve));
    },
  });
  void through.then(() => {
    for (const controller of controllers.values()) controller.close();
  });
  return streams;
}

/** Everything that a process still has to say. */
export async function outputOf(
  running: Pick<Running | Ended, "drain">,
): Promise<Readonly<Record<StreamName, string>>> {
  const { stderr, stdout } = streamsOf(running);
  const [out, err] = await Promise.all([new Response(stdout).text(), new Response(stderr).text()]);
  return { stdout: out, stderr: err };
}
