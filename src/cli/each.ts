import { EngineError, toldBy } from "../client/error.ts";
import { err, out } from "./output.ts";

/**
 * Does one thing to each name, in order; prints the name, or what `said` makes of it and of what came of it, after a
 * success, unless that was false, and the refusal after a failure.
 * @returns 1 when any was refused
 */
export async function each<T>(
  names: readonly string[],
  act: (name: string) => Promise<T>,
  said: (name: string, result: T) => string = (name) => name,
): Promise<number> {
  let code = 0;
  for (const name of names) {
    try {
      const result = await act(name);
      if (result !== false) out(`${said(name, result)}\n`);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      err(`${toldBy(error)}\n`);
      code = 1;
    }
  }
  return code;
}
