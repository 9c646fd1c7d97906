import { ERRNO, type ErrnoName } from "../kernel/errno.ts";
import { codeOf } from "../oci/error.ts";

/** What went wrong with a cgroup, as facts. */
export interface CgroupError extends Error {
  readonly name: "CgroupError";
  /** What was being done: "write the memory limit". */
  readonly doing: string;
  /** The file or directory. */
  readonly path: string;
  readonly errno?: ErrnoName;
  /** What a person can do. */
  readonly hint?: string;
}

/** "Cannot <doing>: <path>: <reason>", with the facts as fields. */
export function cgroupError(
  doing: string,
  path: string,
  reason: string,
  more: { readonly errno?: ErrnoName; readonly hint?: string; readonly cause?: unknown } = {},
): CgroupError {
  const error = new Error(`Cannot ${doing}: ${path}: ${reason}`, { cause: more.cause });
  const { errno, hint } = more;
  return Object.assign(error, {
    name: "CgroupError" as const,
    doing,
    path,
    ...(errno === undefined ? {} : { errno }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The errno's name of an error thrown by node:fs, if it has one. */
export function errnoOf(error: unknown): ErrnoName | undefined {
  const code = codeOf(error);
  return code !== undefined && code in ERRNO ? (code as ErrnoName) : undefined;
}
