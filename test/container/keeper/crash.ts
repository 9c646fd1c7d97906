import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Scene, Wanted } from "../launch/scene.ts";

/** An engine in a process of its own, to be killed. */
export interface OtherEngine {
  readonly pid: number;
  readonly keeper: number;
  kill(): Promise<void>;
}

function begin(
  scene: Scene,
  id: string,
  args: readonly string[],
  wanted: Wanted,
  until?: string,
): ChildProcess {
  const orders = { directory: scene.directory, cgroup: scene.cgroup, id, args, wanted, until };
  const program = join(import.meta.dirname, "engine.ts");
  return spawn(process.execPath, [program, JSON.stringify(orders)], { stdio: ["ignore", "pipe", "inherit"] });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** Starts a container from another engine process; resolves when its workload runs (and has said `until`). */
export async function startElsewhere(
  scene: Scene,
  id: string,
  args: readonly string[],
  wanted: Wanted = {},
  until?: string,
): Promise<OtherEngine> {
  const child = begin(scene, id, args, wanted, until);
  let said = "";
  for await (const chunk of child.stdout!) {
    said += String(chunk);
    const match = /started (\d+) (\d+)/.exec(said);
    if (match) return { pid: Number(match[1]), keeper: Number(match[2]), kill: () => end(child) };
  }
  throw new Error(`The other engine ended: ${said}`);
}

/** Kills another engine `microseconds` after it began to launch a container. */
export async function killWhileLaunching(
  scene: Scene,
  id: string,
  args: readonly string[],
  microseconds: number,
): Promise<void> {
  const child = begin(scene, id, args, {});
  await once(child.stdout!, "data");
  const until = performance.now() + microseconds / 1000;
  while (performance.now() < until);
  await end(child);
}
