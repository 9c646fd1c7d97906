import { ERRNO, errnoText } from "../kernel/errno.ts";
import { signalText } from "../kernel/signals.ts";
import { HOOK_STATUS } from "../plan/records.ts";

/** What a hook is called in errors, and what was run. */
export interface NamedHook {
  /** "createRuntime hook #0" */
  readonly name: string;
  readonly path: string;
}

/**
 * How a hook failed that the launch program ran, in the words that callers of runc know; `errno` is the step's, which
 * has the status of one that ended by itself.
 */
export function hookFailure({ name, path }: NamedHook, errno: number, said = ""): string {
  const output = said.trim() === "" ? "" : `, output: ${said.trim().slice(-400)}`;
  return `error running ${name}: ${path}: ${ending(errno)}${output}`;
}

function ending(errno: number): string {
  if (errno === ERRNO.ETIMEDOUT) return "it ran past its timeout and was killed";
  if (errno < HOOK_STATUS) return `it cannot be executed: ${errnoText(errno).toLowerCase()}`;
  const status = errno - HOOK_STATUS;
  const signal = status & 0x7f;
  return signal === 0 ? `exit status ${status >> 8}` : `signal: ${signalText(signal)}`;
}
