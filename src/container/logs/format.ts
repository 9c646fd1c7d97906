import { MAX_LINE, NEWLINE } from "./entry.ts";
import { linesOf } from "./lines.ts";

/** Where lines of a log go. */
export interface Target {
  /** Bytes that its file still takes: the line that reaches them is the file's last. */
  room(): number;
  /** Takes whole lines, which are only valid during the call. Does not throw. */
  write(lines: Uint8Array): void;
}

/** Turns the bytes of one stream into lines of a `json-file` log, a chunk at a time. */
export interface Formatter {
  push(chunk: Uint8Array, time: string, target: Target): void;
  /** What is left of an unfinished last line. */
  end(time: string, target: Target): void;
  /** Bytes that were pushed and have not been taken by a target: those of an unfinished line, or of a `push` under way. */
  readonly held: number;
}

/**
 * @param stream goes into each entry as it is
 * @param attributes go into each entry, where Docker has them
 */
export function formatter(
  stream: "stdout" | "stderr",
  attributes: Readonly<Record<string, string>> | null = null,
): Formatter {
  const lines = linesOf(stream, attributes);
  /** The beginning of a message that has yet to end, or all of one: never more than that. */
  let begun = Buffer.alloc(0);
  let length = 0;
  let held = 0;

  const keep = (bytes: Uint8Array): void => {
    if (bytes.length === 0) return;
    if (begun.length < length + bytes.length) {
      const larger = Buffer.alloc(Math.min(MAX_LINE, Math.max(2 * begun.length, length + bytes.length)));
      larger.set(begun.subarray(0, length));
      begun = larger;
    }
    begun.set(bytes, length);
    length += bytes.length;
  };

  /** @returns where the first message begins that has yet to end */
  const pass = (bytes: Uint8Array, from: number, target: Target, last: boolean): number => {
    for (let at = from; at < bytes.length; ) {
      const next = lines.make(bytes, at, target.room(), last);
      if (next === at) return at;
      target.write(lines.made());
      held -= next - at;
      at = next;
    }
    return bytes.length;
  };

  /** Ends the message that has begun. @returns how many bytes of the chunk are its: all of them where it goes on */
  const finish = (chunk: Uint8Array, target: Target): number => {
    const most = chunk.subarray(0, MAX_LINE - length);
    const newline = most.indexOf(NEWLINE);
    const taken = newline < 0 ? most.length : newline + 1;
    keep(chunk.subarray(0, taken));
    if (newline >= 0 || length === MAX_LINE) length -= pass(begun.subarray(0, length), 0, target, false);
    return taken;
  };

  return {
    get held() {
      return held;
    },
    push(chunk, time, target) {
      lines.stamp(time);
      held += chunk.length;
      const from = length > 0 ? finish(chunk, target) : 0;
      keep(chunk.subarray(pass(chunk, from, target, false)));
    },
    end(time, target) {
      lines.stamp(time);
      length -= pass(begun.subarray(0, length), 0, target, true);
    },
  };
}

/** What a message is in a log: its bytes as text, where they are text. */
export function textOf(message: Uint8Array): string {
  const lines = linesOf("stdout", null);
  lines.stamp("");
  lines.make(message, 0, Number.POSITIVE_INFINITY, true);
  return (JSON.parse(Buffer.from(lines.made()).toString()) as { readonly log: string }).log;
}
