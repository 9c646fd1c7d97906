import { EngineError } from "../client/error.ts";
import { err, out } from "./output.ts";

/**
 * Does one thing to each name, in order; prints the name after a success, unless that was false, and the refusal after
 * a failure.
 * @returns 1 when any was refused
 */
export async function each(
  names: readonly string[],
  act: (name: string) => Promise<unknown>,
  said: (name: string) => string = (name) => name,
): Promise<number> {
  let code = 0;
  for (const name of names) {
    try {
      if ((await act(name)) !== false) out(`${said(name)}\n`);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      err(`Error response from daemon: ${error.message}\n`);
      code = 1;
    }
  }
  return code;
}
