import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isFrozen } from "../cgroup/freeze.ts";
import { readLayout } from "../cgroup/layout.ts";
import { isAlive, parseStat } from "../kernel/process.ts";
import { CALLER_FILES } from "../wire/runtime.ts";
import type { ContainerDocument } from "./store.ts";

/** The words of the runtime specification ("State"), and runc's for what is paused. */
export type Status = "creating" | "created" | "running" | "paused" | "stopped";

/** What a container is at this moment. */
export interface Condition {
  readonly status: Status;
  /** 0 where there is no process. */
  readonly pid: number;
}

/** Ask the kernel; nothing of this is written down. */
export function conditionOf(directory: string, document: ContainerDocument): Condition {
  const pid = processOf(directory);
  if (pid === undefined) return { status: "creating", pid: 0 };
  if (pid === 0) return { status: "stopped", pid: 0 };
  if (isPaused(document.cgroup)) return { status: "paused", pid };
  return { status: isWaiting(directory) ? "created" : "running", pid };
}

/** The container's first process; 0 when it has ended, undefined when there has been none. */
export function processOf(directory: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(join(directory, CALLER_FILES.process), "utf8");
  } catch {
    return undefined;
  }
  const noted = parseStat(text);
  if (noted === null) return undefined;
  return isAlive({ pid: noted.pid, startTime: noted.field(22) }) ? noted.pid : 0;
}

/** The process holds its FIFO open exactly as long as it waits: `execve` closes it, and so does its end. */
function isWaiting(directory: string): boolean {
  try {
    closeSync(openSync(join(directory, CALLER_FILES.start), constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}

function isPaused(cgroup: string): boolean {
  try {
    return isFrozen(readLayout(), cgroup);
  } catch {
    return false;
  }
}

/** The JSON of `state`; `rootfs`, `created` and `owner` are not in the specification, callers of runc read them. */
export function stateOf(document: ContainerDocument, { pid, status }: Condition, owner: string) {
  return {
    ociVersion: document.ociVersion,
    id: document.id,
    pid,
    status,
    bundle: document.bundle,
    rootfs: document.rootfs,
    created: document.created,
    ...(document.annotations === undefined ? {} : { annotations: document.annotations }),
    owner,
  };
}
