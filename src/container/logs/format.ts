import { MAX_LINE } from "./entry.ts";

/**
 * Turns the bytes of one stream into lines of a `json-file` log, a chunk at a time. It keeps at most one
 * unfinished line of up to 16 KiB between chunks; what is not UTF-8 becomes U+FFFD, as in Docker.
 */
export interface Formatter {
  /** Text to append to the log file for this chunk; empty when no line is complete yet. */
  push(chunk: Uint8Array, time: string): string;
  /** What is left of an unfinished last line. */
  end(time: string): string;
}

const NEWLINE = 10;

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

  return {
    push(chunk, time) {
      let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      if (rest) {
        bytes = Buffer.concat([rest, bytes]);
        rest = null;
      }
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
      const text = `{"log":${JSON.stringify(rest.toString())}${source},"time":"${time}"}\n`;
      rest = null;
      return text;
    },
  };
}

/** `bytes` are whole lines without the last newline. */
function lines(bytes: Buffer, tail: string): string {
  let text = "";
  for (const line of bytes.toString().split("\n")) {
    // A UTF-8 character has at most three bytes per UTF-16 unit, so short text is a short line.
    if (line.length * 3 < MAX_LINE || Buffer.byteLength(line) < MAX_LINE) {
      text += `{"log":${JSON.stringify(`${line}\n`)}${tail}`;
    } else text += long(Buffer.from(line), tail);
  }
  return text;
}

function long(line: Buffer, tail: string): string {
  let text = "";
  let at = 0;
  for (; line.length - at >= MAX_LINE; at += MAX_LINE) {
    text += `{"log":${JSON.stringify(line.toString("utf8", at, at + MAX_LINE))}${tail}`;
  }
  return `${text}{"log":${JSON.stringify(`${line.toString("utf8", at)}\n`)}${tail}`;
}
