/** What a caller is told; `exitCode` is what the command ends with. The message is in words that callers know. */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The words for an error in a log. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
