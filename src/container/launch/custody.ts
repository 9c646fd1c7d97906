import { PR } from "../../kernel/flags.ts";
import type { Process } from "../../oci/runtime/spec.ts";
import { call, close, num } from "../../plan/build.ts";
import { type Step, SYNC_PARENT } from "../../plan/step.ts";
import { bindConsole } from "./devices.ts";
import { openOfChild } from "./namespaces.ts";
import { keeperCapabilities } from "./privileges.ts";
import { dropKeeperPrivileges, forgetKeeper, keep, runDirectory, session, stdio } from "./session.ts";
import { openTerminal, pipeStreams, takeTerminal, terminalStreams } from "./streams.ts";
import { closeOnExec } from "./workload.ts";

/**
 * Who has a process once it runs: a keeper that stays with it (keptBy), or whoever called (caller.ts). These are
 * the steps in which the two differ; everything else of a launch is the same for both.
 */
export interface Custody {
  /** In the launch program, first of all. */
  readonly begin: readonly Step[];
  /** In the child, first of all: what the launch program has is not for it, and it ends with the program. */
  readonly forget: readonly Step[];
  /** In the child: descriptors 0, 1 and 2; `console` binds the terminal on `/dev/console` as well. */
  readonly streams: (process: Process, console: boolean) => readonly Step[];
  /** In the child, with everything made and before it loses a privilege: wait for the order to start. */
  readonly wait: readonly Step[];
  /** Whether it waits for somebody else's order. */
  readonly waits: boolean;
  /** In the child, after the wait: hand no other descriptor on. */
  readonly closing: readonly Step[];
  /** Whether the workload ends when the launch program does. */
  readonly dies: boolean;
  /** In the launch program, after the clone. */
  readonly parted: readonly Step[];
  /** The rest of the launch program: `before` the workload runs, and once it does. */
  readonly finish: (before: readonly Step[], poststart: readonly Step[]) => readonly Step[];
}

/** A keeper's part of the facts that a plan is made from. */
export interface KeeperFacts {
  readonly runDir: string;
  /** The engine's report FIFO. */
  readonly reports: string;
  /** 16 random bytes that name this start. */
  readonly token: Uint8Array;
  readonly stdin: boolean;
  /** Nothing of the host's is mounted in the container: nobody waits for the end of its mounts. */
  readonly ownMounts?: boolean;
}

/** The keeper stays, holds the streams, and reports to the engine. */
export function keptBy(facts: KeeperFacts, terminal: boolean, oom: boolean, wires: boolean): Custody {
  const { ownMounts = false, reports, runDir, stdin, token } = facts;
  const streams = stdio(runDir, terminal, stdin);
  return {
    begin: [...session(runDir, reports), ...runDirectory(runDir), ...streams.steps],
    forget: [...forgetKeeper(), endWith("keeper")],
    streams: ({ consoleSize, user }, console) =>
      terminal
        ? [
            ...openTerminal(consoleSize),
            ...(console ? bindConsole("terminal") : []),
            ...terminalStreams(user.uid),
          ]
        : pipeStreams(stdin, user.uid),
    wait: [],
    waits: false,
    closing: closeOnExec(0),
    dies: true,
    parted: [
      ...streams.childOnly.map((slot) => close(slot, "leave it to the container")),
      ...(ownMounts ? holdMounts() : []),
    ],
    finish: (before, poststart) => [
      ...(terminal ? takeTerminal() : []),
      ...before,
      { kind: "awaitExec", why: "wait until the workload runs" },
      close(SYNC_PARENT, "close it"),
      ...poststart,
      ...dropKeeperPrivileges(keeperCapabilities(wires)),
      keep(runDir, token, streams.keeper, { oom, mounts: ownMounts }),
    ],
  };
}

/**
 * A process ends for its parent only when the mounts that go with it are gone, and with an overlay the kernel writes
 * the whole file system below it to the disk (ovl_sync_fs): milliseconds, on a busy disk seconds. So the keeper holds
 * the namespace until its release, and the exit is told first. Where something of the host's is mounted in the
 * container this is not done: who has heard of the end may unmount that.
 */
function holdMounts(): Step[] {
  const reason = { why: "hear of the exit before the kernel has taken its mounts apart" };
  // It may have failed and ended already, which the keeper is about to hear.
  return openOfChild("ns/mnt", "mounts", "RDONLY", reason, ["ENOENT", "EACCES", "ESRCH"]);
}

/** In a child: never outlive its parent, as long as it is not complete. */
export function endWith(whom: "keeper" | "creator"): Step {
  const signal = [num(PR.SET_PDEATHSIG, "PR_SET_PDEATHSIG"), num(9, "SIGKILL")];
  return call("prctl", signal, `end when the ${whom} ends`);
}
