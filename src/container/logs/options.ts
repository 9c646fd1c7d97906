import { Refusal } from "../../oci/error.ts";
import type { LogConfig } from "../../wire/container.ts";
import { DETAILS, detailOptions, type LogDetails } from "./details.ts";
import {
  CACHE_OPTIONS,
  cacheOptions,
  FILE_OPTIONS,
  fileOptions,
  type LogFileOptions,
} from "./drivers/file.ts";
import { SYSLOG_OPTIONS, type SyslogOptions, syslogOptions } from "./drivers/syslog.ts";
import { type Options, refuseUnknown, sizeOf, wrong } from "./value.ts";

/** How a container's log is kept. */
export interface LogOptions {
  readonly driver: "json-file" | "local" | "syslog" | "journald" | "none";
  /** What `logs` reads; null keeps nothing. Drivers that send messages away keep a copy here: Docker's cache. */
  readonly file: LogFileOptions | null;
  /** What goes along with each message. */
  readonly details: LogDetails;
  /** Only of that driver. */
  readonly syslog?: SyslogOptions;
  /** Bytes that may wait for a slow receiver before messages are dropped; null: the container waits instead. */
  readonly buffer: number | null;
}

/** Docker's ring buffer (`max-buffer-size`). */
const BUFFER = 1024 * 1024;

/**
 * Reads `HostConfig.LogConfig`.
 * @returns the options, or one sentence that says what is wrong
 */
export function logOptions(config: LogConfig | undefined): LogOptions | string {
  try {
    return read(config?.Type || "json-file", config?.Config ?? {});
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

function read(driver: string, all: Options): LogOptions {
  if (driver === "none") {
    refuseUnknown(all, [], "none log driver");
    return { driver, file: null, details: detailOptions({}), buffer: null };
  }
  const { mode, "max-buffer-size": size, ...options } = all;
  const buffer = bufferOf(mode, size);
  switch (driver) {
    case "json-file":
      // They need no copy, so whatever is said of one is so, as long as it makes sense.
      cacheOptions(options);
      refuseUnknown(options, [...FILE_OPTIONS, ...DETAILS, ...CACHE_OPTIONS], "json-file log driver");
      return { driver, file: fileOptions(driver, options), details: detailOptions(options), buffer };
    case "local":
      cacheOptions(options);
      refuseUnknown(options, [...FILE_OPTIONS, ...CACHE_OPTIONS], "log driver local");
      return { driver, file: fileOptions(driver, options), details: detailOptions({}), buffer };
    case "syslog":
      refuseUnknown(options, [...SYSLOG_OPTIONS, ...DETAILS, ...CACHE_OPTIONS], "syslog log driver");
      return {
        driver,
        file: cacheOptions(options),
        details: detailOptions(options),
        syslog: syslogOptions(options),
        buffer,
      };
    case "journald":
      refuseUnknown(options, [...DETAILS, ...CACHE_OPTIONS], "journald log driver");
      return { driver, file: cacheOptions(options), details: detailOptions(options), buffer };
    default:
      throw wrong(`error looking up logging plugin ${driver}: plugin "${driver}" not found`);
  }
}

function bufferOf(mode: string | undefined, size: string | undefined): number | null {
  if (mode !== undefined && !["", "blocking", "non-blocking"].includes(mode))
    throw wrong(`logger: logging mode not supported: ${mode}`);
  if (size === undefined) return mode === "non-blocking" ? BUFFER : null;
  if (mode !== "non-blocking")
    throw wrong("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  const bytes = sizeOf(size);
  if (bytes === null) throw wrong(`error parsing option max-buffer-size: invalid size: '${size}'`);
  return bytes;
}
