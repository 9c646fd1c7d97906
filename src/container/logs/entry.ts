/** One log message: a line with its newline, or a part of a line longer than 16 KiB without one. */
export interface Entry {
  readonly stream: "stdout" | "stderr";
  readonly log: string;
  /** RFC 3339 with nanoseconds, UTC. */
  readonly time: string;
  /** Labels and variables of the container (`--log-opt labels=…`), for `logs --details`. */
  readonly attrs?: Readonly<Record<string, string>>;
}

/** Docker cuts longer lines into messages of this many bytes. */
export const MAX_LINE = 16 * 1024;

export const NEWLINE = 10;

/**
 * Where the message ends that begins at `at`: after its newline, or after `MAX_LINE` bytes where there is none so
 * soon. Null where it does not end yet. The same bytes make the same messages, whatever chunks they come in.
 */
export function messageEnd(bytes: Buffer, at: number): number | null {
  const newline = bytes.indexOf(NEWLINE, at);
  if (newline >= 0 && newline - at < MAX_LINE) return newline + 1;
  return bytes.length - at >= MAX_LINE ? at + MAX_LINE : null;
}

/** A line of a `json-file` log; null when it is damaged (a power cut, somebody else's hand). */
export function parseEntry(line: string): Entry | null {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null) return null;
    const { log, stream, time, attrs } = value as Partial<
      Record<"log" | "stream" | "time" | "attrs", unknown>
    >;
    if (typeof log !== "string" || typeof time !== "string") return null;
    const entry: Entry = { log, stream: stream === "stderr" ? "stderr" : "stdout", time };
    return isTexts(attrs) ? { ...entry, attrs } : entry;
  } catch {
    return null;
  }
}

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string");
