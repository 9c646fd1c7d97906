import { type Options, sizeOf, truth, wrong } from "../value.ts";

/** The log file that the engine itself writes and reads. */
export interface LogFileOptions {
  /** `json-file` is read by other programs too; the others are the engine's own. */
  readonly kind: "json-file" | "local" | "cache";
  /** Bytes after which the file is rotated. */
  readonly maxSize: number;
  /** Files kept, the current one included. */
  readonly maxFile: number;
  /** Whether those that were rotated are compressed. */
  readonly compress: boolean;
}

export const FILE_OPTIONS = ["max-size", "max-file", "compress"] as const;
/** Of drivers that send messages away. */
export const CACHE_OPTIONS = [
  "cache-disabled",
  "cache-max-size",
  "cache-max-file",
  "cache-compress",
] as const;

const MIB = 1024 * 1024;
/**
 * Docker's `local` bounds its files like that. For `json-file` it keeps everything, and a chatty container then
 * fills the disk; cais keeps 30 MiB of it.
 */
const DEFAULTS = {
  "json-file": { maxSize: 10 * MIB, maxFile: 3, compress: false },
  local: { maxSize: 20 * MIB, maxFile: 5, compress: true },
  cache: { maxSize: 20 * MIB, maxFile: 5, compress: true },
} as const;

/** @throws Refusal for a value that cannot be used */
export function fileOptions(kind: LogFileOptions["kind"], options: Options, prefix = ""): LogFileOptions {
  const { maxSize, maxFile, compress } = DEFAULTS[kind];
  const [size, count, press] = FILE_OPTIONS.map((name) => options[`${prefix}${name}`]);
  const files = count === undefined ? maxFile : countOf(count);
  const wanted = press === undefined ? undefined : truth(press);
  if (press !== undefined && wanted === undefined)
    throw wrong(`invalid value for ${prefix}compress: '${press}': say true or false`);
  if (wanted && files < 2)
    throw wrong("compress cannot be true when max-file is less than 2 or max-size is not set");
  return {
    kind,
    maxSize: size === undefined ? maxSize : bytesOf(size, prefix),
    maxFile: files,
    compress: files > 1 && (wanted ?? compress),
  };
}

/** The copy that `logs` reads where the driver sends messages away; null when it is switched off. */
export function cacheOptions(options: Options): LogFileOptions | null {
  const disabled = options["cache-disabled"];
  const off = disabled === undefined ? false : truth(disabled);
  if (off === undefined) throw wrong(`invalid value for option cache-disabled: ${disabled}`);
  const file = fileOptions("cache", options, "cache-");
  return off ? null : file;
}

function bytesOf(text: string, prefix: string): number {
  // Docker: -1 is no limit.
  if (text === "-1") return Number.POSITIVE_INFINITY;
  const bytes = sizeOf(text);
  if (bytes === null || bytes <= 0)
    throw wrong(`invalid size for ${prefix}max-size: '${text}': say it as 10m or 500k`);
  return bytes;
}

function countOf(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw wrong(`max-file cannot be less than 1: '${text}'`);
  return count;
}
