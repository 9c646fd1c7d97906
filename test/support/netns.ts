import { closeSync, openSync } from "node:fs";

/**
 * A network namespace of a test's own. The main thread enters it, and with it every program that is started from there
 * on: the machine's links and rules are out of sight. Leave it when the test is over.
 */
export interface OwnNetwork {
  leave(): void;
}

/** linux/sched.h */
const CLONE_NEWNET = 0x40000000;

/** Enter a new, empty network namespace (unshare(2)). */
export async function enterOwnNetwork(): Promise<OwnNetwork> {
  const { dlopen } = await import("bun:ffi");
  const { symbols } = dlopen("libc.so.6", {
    unshare: { args: ["int"], returns: "int" },
    setns: { args: ["int", "int"], returns: "int" },
  });
  const before = openSync("/proc/thread-self/ns/net", "r");
  if (symbols.unshare(CLONE_NEWNET) !== 0) throw new Error("Cannot make a network namespace: not root");
  return {
    leave() {
      if (symbols.setns(before, CLONE_NEWNET) !== 0)
        throw new Error("Cannot go back to the machine's network");
      closeSync(before);
    },
  };
}
