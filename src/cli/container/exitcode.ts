import { EngineError } from "../../client/error.ts";
import { Failure } from "../failure.ts";

/**
 * A start that failed, with Docker's exit codes: 127 the command does not exist, 126 it cannot be executed,
 * 125 everything else (docs of `docker run`, "Exit status").
 */
export function startFailure(error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  const { message, status } = error;
  // Only what is wrong with the program is a bad request; a step that failed before it may use the same words.
  const code =
    status !== 400
      ? 125
      : /executable file not found|no such file or directory/i.test(message)
        ? 127
        : /permission denied|is a directory|exec format error/i.test(message)
          ? 126
          : 125;
  return new Failure(`Error response from daemon: ${message}`, code);
}
