import { SIGNALS, type SignalName, signalText } from "../kernel/signals.ts";
import type { Hook } from "../oci/runtime/spec.ts";
import type { ContainerDocument } from "./store.ts";

/**
 * Run the hooks that are called where there is no launch program: after the start, and after the end. Each gets the
 * container's state on its standard input.
 * @returns one sentence about the first that failed
 */
export async function runHooks(
  document: ContainerDocument,
  kind: "poststart" | "poststop",
  status: "running" | "stopped",
  pid?: number,
): Promise<string | undefined> {
  const hooks = document.hooks?.[kind] ?? [];
  if (hooks.length === 0) return undefined;
  const { annotations, bundle, id, ociVersion } = document;
  const state = JSON.stringify({
    ociVersion,
    id,
    status,
    ...(pid === undefined ? {} : { pid }),
    bundle,
    ...(annotations === undefined ? {} : { annotations }),
  });
  const { spawnSync } = await import("node:child_process");
  let first: string | undefined;
  for (const [index, hook] of hooks.entries())
    first ??= told(run(spawnSync, hook, bundle, state), kind, index, hook);
  return first;
}

type SpawnSync = typeof import("node:child_process").spawnSync;

function run(spawnSync: SpawnSync, { args = [], env = [], path, timeout }: Hook, cwd: string, input: string) {
  return spawnSync(path, args.slice(1), {
    argv0: args[0] ?? path,
    cwd,
    env: Object.fromEntries(env.map((entry) => entry.split(/=(.*)/s).slice(0, 2) as [string, string])),
    input,
    stdio: ["pipe", "ignore", "pipe"],
    encoding: "utf8",
    ...(timeout === undefined ? {} : { timeout: timeout * 1000 }),
  });
}

function told(
  ended: {
    readonly status: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly error?: Error;
    readonly stderr: string;
  },
  kind: string,
  index: number,
  { path }: Hook,
): string | undefined {
  if (ended.status === 0) return undefined;
  const how =
    ended.error?.message ??
    (ended.signal === null
      ? `exit status ${ended.status}`
      : `signal: ${signalText(SIGNALS[ended.signal as SignalName])}`);
  const said = ended.stderr.trim().slice(0, 400);
  return `error running ${kind} hook #${index}: ${path}: ${how}${said === "" ? "" : `, stderr: ${said}`}`;
}
