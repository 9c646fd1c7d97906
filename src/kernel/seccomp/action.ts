import { ERRNO } from "../errno.ts";
import type { Action } from "./policy.ts";

/** `SECCOMP_RET_*` of `linux/seccomp.h`. */
const RETURNS: Readonly<Record<Action, number>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};

export const RETURN_ALLOW = RETURNS.SCMP_ACT_ALLOW;
export const RETURN_KILL_PROCESS = RETURNS.SCMP_ACT_KILL_PROCESS;
export const RETURN_ENOSYS = RETURNS.SCMP_ACT_ERRNO | ERRNO.ENOSYS;

/** What a filter returns for `action`; throws for an unknown action or a number the action cannot carry. */
export function returnValue(action: Action, errno: number | undefined): number {
  if (!Object.hasOwn(RETURNS, action))
    throw new Error(`Cannot use the seccomp action "${action}": there is none`);
  const carries = action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";
  if (!carries) {
    if (errno === undefined) return RETURNS[action];
    throw new Error(
      `Cannot use the seccomp action ${action} with errnoRet: only ERRNO and TRACE carry a number`,
    );
  }
  const data = errno ?? ERRNO.EPERM;
  if (Number.isInteger(data) && data >= 0 && data <= 0xffff) return (RETURNS[action] | data) >>> 0;
  throw new Error(`Cannot use the errnoRet ${data} of a seccomp rule: it must be from 0 to 65535`);
}

/** Actions that let the call happen; a policy with such a default needs no ENOSYS for calls it has never heard of. */
export function lets(action: Action): boolean {
  return action === "SCMP_ACT_ALLOW" || action === "SCMP_ACT_LOG" || action === "SCMP_ACT_TRACE";
}
