import { MAX_LINE, messageEnd, NEWLINE } from "./entry.ts";

/**
 * Turns the bytes of one stream into lines of a `json-file` log, a chunk at a time. It keeps at most one
 * unfinished line of up to 16 KiB between chunks; what is not UTF-8 becomes U+FFFD, as in Docker.
 */
export interface Formatter {
  /** Text to append to the log file for this chunk; empty when no line is complete yet. */
  push(chunk: Uint8Array, time: string): string;
  /** What is left of an unfinished last line. */
  end(time: string): string;
  /** Bytes that were pushed and have not come out, but for the first `count` messages of the last `push`. */
  heldAfter(count: number): number;
  /** `heldAfter` is not asked before the next `push`. */
  settle(): void;
  /** Bytes of the unfinished line. */
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
  const source = `,"stream":"${stream}"${attributes ? `,"attrs":${JSON.stringify(attributes)}` : ""}`;
  let rest: Buffer | null = null;
  let pushed: Buffer | null = null;

  return {
    get held() {
      return rest?.length ?? 0;
    },
    heldAfter(count) {
      if (pushed === null) return rest?.length ?? 0;
      let at = 0;
      for (let n = 0; n < count; n++) at = messageEnd(pushed, at) ?? pushed.length;
      return pushed.length - at;
    },
    settle() {
      pushed = null;
    },
    push(chunk, time) {
      let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      if (rest) {
        bytes = Buffer.concat([rest, bytes]);
        rest = null;
      }
      pushed = bytes;
      const tail = `${source},"time":"${time}"}\n`;
      let text = "";
      const last = bytes.lastIndexOf(NEWLINE);
      if (last >= 0) text = lines(bytes.subarray(0, last), tail);
      let open = bytes.subarray(last + 1);
      while (open.length >= MAX_LINE) {
        text += `{"log":${JSON.stringify(open.toString("utf8", 0, MAX_LINE))}${tail}`;
        open = open.subarray(MAX_LINE);
      }
      // A copy, so that the chunk it is a view of can go.
      if (open.length > 0) rest = Buffer.from(open);
      return text;
    },
    end(time) {
      if (!rest) return "";
      pushed = rest;
      const text = `{"log":${JSON.stringify(rest.toString())}${source},"time":"${time}"}\n`;
      rest = null;
      return text;
    },
  };
}

/** `bytes` are whole lines without the last newline. */
function lines(bytes: Buffer, tail: string): string {
  if (hasLong(bytes)) return messages(bytes, tail);
  const text = bytes.toString();
  const between = `\\n"${tail}{"log":"`;
  // In JSON a newline is a backslash and an n, and so is nothing else where the text has no backslashes.
  const escaped = text.includes("\\")
    ? text.split("\n").map((line) => JSON.stringify(line).slice(1, -1))
    : JSON.stringify(text).slice(1, -1).split("\\n");
  return `{"log":"${escaped.join(between)}\\n"${tail}`;
}

/** Whether a line is longer than a message. */
function hasLong(bytes: Buffer): boolean {
  for (let at = 0; bytes.length - at >= MAX_LINE; ) {
    const newline = bytes.lastIndexOf(NEWLINE, at + MAX_LINE - 1);
    if (newline < at) return true;
    at = newline + 1;
  }
  return false;
}

/** The same for lines of any length. */
function messages(bytes: Buffer, tail: string): string {
  let text = "";
  for (let at = 0; at <= bytes.length; ) {
    const end = messageEnd(bytes, at);
    const next = end ?? bytes.length + 1;
    const newline = end === null || bytes[end - 1] === NEWLINE;
    const line = bytes.toString("utf8", at, newline ? next - 1 : next);
    text += `{"log":${JSON.stringify(newline ? `${line}\n` : line)}${tail}`;
    at = next;
  }
  return text;
}
