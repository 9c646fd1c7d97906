import { appendFileSync, writeSync } from "node:fs";
import { RuntimeError } from "./failure.ts";

type Level = "debug" | "info" | "warning" | "error";

/** Where the runtime says what went wrong: a file in the form that callers read, and standard error. */
export interface Log {
  debug(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

/** The log before the command line has been read. */
export const STDERR: Log = makeLog(undefined, "text", false);

/**
 * A log in the form of Go's logrus, which containerd, podman and dockerd parse: one JSON object, or one line of
 * `key=value`, for each entry. With a file, errors are said on standard error as well.
 * @throws RuntimeError for a form that is none
 */
export function makeLog(file: string | undefined, form: string, debug: boolean): Log {
  if (form !== "json" && form !== "text") throw new RuntimeError(`invalid log-format: ${form}`);
  const write = (level: Level, text: string) => {
    const time = `${new Date().toISOString().slice(0, 19)}Z`;
    const line =
      form === "json"
        ? JSON.stringify({ level, msg: text, time })
        : `time="${time}" level=${level} msg=${JSON.stringify(text)}`;
    if (file === undefined) say(`${line}\n`);
    else
      try {
        appendFileSync(file, `${line}\n`, { mode: 0o644 });
      } catch {
        say(`${line}\n`);
      }
  };
  return {
    debug: (text) => {
      if (debug) write("debug", text);
    },
    warn: (text) => write("warning", text),
    error: (text) => {
      write("error", text);
      if (file !== undefined) say(`${text}\n`);
    },
  };
}

function say(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // The caller has closed its standard error.
  }
}
