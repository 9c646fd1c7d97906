import { randomBytes } from "node:crypto";
import { MAX_LINE } from "./entry.ts";

/** One complete message of a container: a line without its newline, or a part of one. */
export interface Message {
  readonly stream: "stdout" | "stderr";
  readonly line: Buffer;
  /** RFC 3339 with nanoseconds, UTC. */
  readonly time: string;
  /** Set on the parts of a line longer than 16 KiB, and on a last line without a newline, as in Docker. */
  readonly part?: { readonly id: string; readonly ordinal: number; readonly last: boolean };
}

/** Cuts one stream into messages; holds at most one unfinished line of up to 16 KiB. */
export interface Splitter {
  push(chunk: Uint8Array, time: string): Message[];
  /** What is left of an unfinished last line. */
  end(time: string): Message[];
}

const NEWLINE = 10;

/** A splitter of one stream. */
export function splitter(stream: "stdout" | "stderr"): Splitter {
  let rest = Buffer.alloc(0);
  let id = "";
  let ordinal = 0;
  const part = (line: Buffer, time: string, last: boolean): Message => {
    if (ordinal === 0) id = randomBytes(32).toString("hex");
    const message = { stream, line, time, part: { id, ordinal: ++ordinal, last } };
    if (last) ordinal = 0;
    return message;
  };
  return {
    push(chunk, time) {
      let bytes = Buffer.concat([rest, chunk]);
      const messages: Message[] = [];
      for (;;) {
        const end = bytes.indexOf(NEWLINE);
        const length = end < 0 ? bytes.length : end;
        if (end >= 0 && length <= MAX_LINE) {
          const line = bytes.subarray(0, end);
          messages.push(ordinal > 0 ? part(line, time, true) : { stream, line, time });
          bytes = bytes.subarray(end + 1);
        } else if (length >= MAX_LINE) {
          messages.push(part(bytes.subarray(0, MAX_LINE), time, false));
          bytes = bytes.subarray(MAX_LINE);
        } else break;
      }
      rest = Buffer.from(bytes);
      return messages;
    },
    end(time) {
      if (rest.length === 0) return [];
      const last = part(rest, time, false);
      rest = Buffer.alloc(0);
      return [last];
    },
  };
}
