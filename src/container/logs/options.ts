import type { LogConfig } from "../../wire/container.ts";

/** How a container's log is kept. */
export type LogOptions =
  | { readonly driver: "none" }
  | {
      readonly driver: "json-file";
      /** Bytes after which the file is rotated. */
      readonly maxSize: number;
      /** Files kept, the current one included. */
      readonly maxFile: number;
    };

/** Docker keeps everything by default, and a chatty container then fills the disk; cais keeps this much. */
const MAX_SIZE = 10 * 1024 * 1024;
const MAX_FILE = 3;

/**
 * Reads `HostConfig.LogConfig`.
 * @returns the options, or one sentence that says what is wrong
 */
export function logOptions(config: LogConfig | undefined): LogOptions | string {
  const driver = config?.Type || "json-file";
  const options = config?.Config ?? {};
  if (driver === "none") {
    const [first] = Object.keys(options);
    return first === undefined ? { driver } : `unknown log opt '${first}' for none log driver`;
  }
  if (driver !== "json-file") {
    return `logger: no log driver named '${driver}' is registered: use json-file or none`;
  }
  let maxSize = MAX_SIZE;
  let maxFile = MAX_FILE;
  for (const [key, value] of Object.entries(options)) {
    if (key === "max-size") {
      const bytes = sizeOf(value);
      if (bytes === null || bytes < 0) return `invalid size for max-size: '${value}': say it as 10m or 500k`;
      // Docker: -1 is no limit.
      maxSize = bytes;
    } else if (key === "max-file") {
      maxFile = /^\d{1,4}$/.test(value) ? Number(value) : 0;
      if (maxFile < 1) return `max-file cannot be less than 1: '${value}'`;
    } else if (key === "mode") {
      if (value !== "blocking") return `log opt mode=${value} is not supported: output is never dropped here`;
    } else return `unknown log opt '${key}' for json-file log driver`;
  }
  return { driver: "json-file", maxSize, maxFile };
}

/** `10m`, `500k`, `1g`, bytes; `-1` is without limit. */
function sizeOf(text: string): number | null {
  if (text === "-1") return Number.POSITIVE_INFINITY;
  const match = /^(\d{1,15})\s*([kmgt]?)i?b?$/i.exec(text.trim());
  if (!match) return null;
  const power = ["", "k", "m", "g", "t"].indexOf(match[2]!.toLowerCase());
  return Number(match[1]) * 1024 ** power;
}
