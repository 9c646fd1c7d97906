import { lets } from "./action.ts";
import type { Action, Condition, Rule } from "./policy.ts";

const SOCKETCALLS = [
  "socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown",
  "setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg",
]
  .join(" ")
  .split(" ");

/** `linux/ipc.h`: the numbers have gaps. */
const IPC_CALLS: Readonly<Record<string, number>> = {
  semop: 1,
  semget: 2,
  semctl: 3,
  semtimedop: 4,
  msgsnd: 11,
  msgrcv: 12,
  msgget: 13,
  msgctl: 14,
  shmat: 21,
  shmdt: 22,
  shmget: 23,
  shmctl: 24,
};

/**
 * On i386 sockets and System V IPC have a second door: `socketcall` and `ipc`, whose first argument says which call
 * is meant. A rule for such a call covers that door too. What it says about arguments cannot be tested there (they
 * are in memory), so a rule with conditions counts without them if it forbids, and not at all if it allows.
 */
export function multiplexer(
  name: string,
  rule: Rule,
  defaultAction: Action,
): { readonly name: "socketcall" | "ipc"; readonly condition: Condition } | undefined {
  const loosens = lets(rule.action) || !lets(defaultAction);
  if ((rule.args?.length ?? 0) > 0 && loosens) return undefined;
  const socketcall = SOCKETCALLS.indexOf(name) + 1;
  if (socketcall > 0) {
    return { name: "socketcall", condition: { index: 0, op: "SCMP_CMP_EQ", value: socketcall } };
  }
  const ipc = Object.hasOwn(IPC_CALLS, name) ? IPC_CALLS[name] : undefined;
  if (ipc === undefined) return undefined;
  // The upper half of the number is a version.
  return { name: "ipc", condition: { index: 0, op: "SCMP_CMP_MASKED_EQ", value: 0xffff, valueTwo: ipc } };
}
