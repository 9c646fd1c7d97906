import { now } from "../time.ts";
import type { LogDriver } from "./drivers/driver.ts";
import { type Message, splitter } from "./message.ts";
import type { LogWriter } from "./writer.ts";

export interface ForwardOptions {
  /** Bytes that may wait before messages are dropped; null: `write` answers with a promise instead. */
  readonly buffer: number | null;
  /** Hears of the first message that was lost. */
  readonly lost: (error: Error) => void;
}

/** Writes to `file` and sends the same messages to `driver`. A message is delivered at most once. */
export function forwarding(file: LogWriter, driver: LogDriver, options: ForwardOptions): LogWriter {
  const splitters = { stdout: splitter("stdout"), stderr: splitter("stderr") };
  let waiting = 0;
  let told = false;

  const send = (message: Message): Promise<void> | undefined => {
    const { buffer } = options;
    // A message is taken when there is any room, as in Docker.
    if (buffer !== null && waiting > 0 && waiting + message.line.length > buffer) return undefined;
    const sent = driver.send(message);
    if (!sent) return undefined;
    waiting += message.line.length;
    return sent
      .catch((error: Error) => {
        if (!told) options.lost(error);
        told = true;
      })
      .finally(() => {
        waiting -= message.line.length;
      });
  };
  const sendAll = (messages: readonly Message[]): Promise<unknown> | undefined => {
    const pending = messages.map(send).filter((one) => one !== undefined);
    return pending.length > 0 && options.buffer === null ? Promise.all(pending) : undefined;
  };

  return {
    get generation() {
      return file.generation;
    },
    get version() {
      return file.version;
    },
    get live() {
      return file.live;
    },
    onChange: (call) => file.onChange(call),
    // What the file has got is what the driver was given; that it has delivered it, nobody knows.
    position: (stream) => file.position(stream),
    resume: (streams) => file.resume(streams),
    get moving() {
      return file.moving;
    },
    set moving(call) {
      file.moving = call;
    },
    write(stream, chunk) {
      file.write(stream, chunk);
      return sendAll(splitters[stream].push(chunk, now()));
    },
    end() {
      if (!file.live) return;
      file.end();
      const at = now();
      for (const one of Object.values(splitters)) void sendAll(one.end(at));
      driver.close();
    },
  };
}
