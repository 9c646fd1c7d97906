import { MAX_LINE, NEWLINE } from "./entry.ts";
import { escapeAt, isSpecial, REPLACEMENT, sequenceAt } from "./escape.ts";

/** Makes lines of a `json-file` log from the bytes of one stream, byte for byte as Docker does. */
export interface Lines {
  /** The time of the messages that come now. */
  stamp(time: string): void;
  /**
   * Makes a line of each message from `from` on, until the lines have `room` bytes or no message ends any more.
   * @param last what is left without an end is a message too
   * @returns where the next message begins: `from` when there was none
   */
  make(bytes: Uint8Array, from: number, room: number, last: boolean): number;
  /** What was made last; overwritten by whoever makes lines next. */
  made(): Uint8Array;
}

const BEGIN = Buffer.from('{"log":"');
/** A message of nothing but `\u0000`. */
const LONGEST = MAX_LINE * 6;
/** Enough for one write: more would only be more memory. */
const MEMORY = 256 * 1024;

/** One for all logs: lines are written as soon as they are made, and no text is left for the collector of garbage. */
let memory = Buffer.alloc(0);

/** @param attributes go into each line, where Docker has them */
export function linesOf(
  stream: "stdout" | "stderr",
  attributes: Readonly<Record<string, string>> | null,
): Lines {
  const source = `,"stream":"${stream}"${attributes ? `,"attrs":${JSON.stringify(attributes)}` : ""}`;
  /** What ends a line whose message ends with a newline; without the first two bytes, any other. */
  let tail = Buffer.alloc(0);
  let cut = tail;
  let length = 0;

  return {
    stamp(time) {
      tail = Buffer.from(`\\n"${source},"time":"${time}"}\n`);
      cut = tail.subarray(2);
    },
    make(bytes, from, room, last) {
      const longest = BEGIN.length + LONGEST + tail.length;
      if (memory.length < longest * 2) memory = Buffer.allocUnsafeSlow(Math.max(longest * 2, MEMORY));
      const out = memory;
      const full = Math.min(room, out.length - longest);
      let to = 0;
      let at = from;
      while (at < bytes.length && to < full) {
        out.set(BEGIN, to);
        let end = to + BEGIN.length;
        const limit = Math.min(at + MAX_LINE, bytes.length);
        let next = at;
        let byte = 0;
        for (; next < limit; next++) {
          byte = bytes[next]!;
          if (isSpecial[byte] === 0) {
            out[end++] = byte;
            continue;
          }
          if (byte === NEWLINE) break;
          const size = byte < 0x80 ? 1 : sequenceAt(bytes, next, limit);
          const text = size === 0 ? REPLACEMENT : escapeAt(bytes, next);
          if (text) for (let more = 0; more < text.length; more++) out[end++] = text[more]!;
          else for (let more = 0; more < size; more++) out[end++] = bytes[next + more]!;
          if (size > 1) next += size - 1;
        }
        const whole = next < limit;
        if (!whole && next - at < MAX_LINE && !last) break;
        const finish = whole ? tail : cut;
        out.set(finish, end);
        to = end + finish.length;
        at = whole ? next + 1 : next;
      }
      length = to;
      return at;
    },
    made: () => memory.subarray(0, length),
  };
}
