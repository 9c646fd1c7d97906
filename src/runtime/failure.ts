import { ERRNO, type ErrnoName, errnoText } from "../kernel/errno.ts";

/** What a caller is told; `exitCode` is what the command ends with. The message is in words that callers know. */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The words for an error in a log; those of the kernel as callers know them from Go: `open /path: no such file or directory`. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  if (path === undefined || syscall === undefined || !isErrno(code)) return error.message;
  return `${syscall} ${path}: ${errnoText(ERRNO[code]).toLowerCase()}`;
}

const isErrno = (code: string | undefined): code is ErrnoName => code !== undefined && code in ERRNO;
