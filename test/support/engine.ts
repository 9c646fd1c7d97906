import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { CAIS, type CommandOptions, command, type Ended } from "./cais.ts";

/** An engine for one test, on directories of its own; disposing of it removes its containers and checks. */
export interface TestEngine extends AsyncDisposable {
  readonly root: string;
  readonly run: string;
  readonly socket: string;
  /** Environment with which `cais` and `docker` talk to this engine. */
  readonly env: NodeJS.ProcessEnv;
  /** Pid of the engine that runs now. */
  readonly pid: () => number;
  /** Runs `cais …args` against it. */
  readonly cais: (args: readonly string[], options?: CommandOptions) => Promise<Ended>;
  /** As `cais`, but throws unless it exits 0; returns stdout without the last newline. */
  readonly ok: (args: readonly string[], options?: CommandOptions) => Promise<string>;
  /** `kill -9` of the engine, as a crash would have it. */
  readonly kill: () => Promise<void>;
  /** Asks it to end, as a service manager would, and waits until it has. */
  readonly stop: () => Promise<void>;
  /** Starts the engine again on the same directories. */
  readonly start: () => Promise<void>;
  /** Runs a program in the engine's network namespace, and returns what it writes; throws unless it exits 0. */
  readonly inside: (...words: readonly string[]) => string;
  /** What the engine wrote to its stderr so far. */
  readonly log: () => string;
}

/** In a network namespace of its own: what it makes there, the machine does not see. */
const OWN_NETWORK = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];

/**
 * Starts `cais --root … --run … serve …args`; resolves when it says on CAIS_READY_FD that it listens. The run
 * directory is made in `runHome`, the root in the temporary directory.
 * @param network `"own"`: bridges and rules are in a network namespace of the engine's, which goes with it;
 *   `"machine"`: they are the machine's
 */
export async function startEngine(
  args: readonly string[] = [],
  binary = CAIS,
  runHome?: string,
  network: "own" | "machine" = "own",
): Promise<TestEngine> {
  const home = mkdtempSync(join(tmpdir(), "cais-engine-"));
  // A container with a user namespace reaches its root file system as nobody in particular.
  chmodSync(home, 0o711);
  const root = join(home, "root");
  const run = runHome === undefined ? join(home, "run") : mkdtempSync(join(runHome, "cais-run-"));
  const socket = join(run, "cais.sock");
  const logFile = join(home, "log");
  const env = { ...process.env, CAIS_HOST: `unix://${socket}`, DOCKER_HOST: `unix://${socket}` };
  const log = () => readFileSync(logFile, "utf8");
  let engine: ChildProcess | undefined;
  const within: string[] = network === "machine" ? [] : OWN_NETWORK;
  let netns: number | undefined;

  const start = async () => {
    const output = openSync(logFile, "a");
    // One that is started again finds the links that the one before has made.
    const where = netns === undefined ? within : ["nsenter", `--net=/proc/${process.pid}/fd/${netns}`];
    const words = [...where, binary, "--root", root, "--run", run, "serve", ...args];
    engine = spawn(words[0]!, words.slice(1), {
      env: { ...process.env, CAIS_READY_FD: "3" },
      stdio: ["ignore", output, output, "pipe"],
    });
    closeSync(output);
    const ended = once(engine, "exit").then(([code]) => {
      throw new Error(`The engine ended with ${code} before it was ready:\n${log()}`);
    });
    ended.catch(() => {});
    const ready = engine.stdio[3] as Readable | null;
    if (!ready) throw new Error(`Cannot run ${binary}`);
    await Promise.race([once(ready, "data"), ended]);
    netns ??= openSync(`/proc/${engine.pid}/ns/net`, "r");
  };
  const stop = async (signal: NodeJS.Signals) => {
    if (!engine || engine.exitCode !== null || engine.signalCode !== null) return;
    const ended = once(engine, "exit");
    engine.kill(signal);
    await ended;
  };
  const cais = (words: readonly string[], options: CommandOptions = {}) =>
    command(binary, words, { ...options, env: { ...env, ...options.env } });
  const ok = async (words: readonly string[], options?: CommandOptions) => {
    const ended = await cais(words, options);
    if (ended.code !== 0) {
      throw new Error(`cais ${words.join(" ")} ended with ${ended.code}: ${ended.stderr || ended.stdout}`);
    }
    return ended.stdout.replace(/\n$/, "");
  };

  await start();
  return {
    root,
    run,
    socket,
    env,
    pid: () => engine?.pid ?? 0,
    cais,
    ok,
    kill: () => stop("SIGKILL"),
    stop: () => stop("SIGTERM"),
    start,
    inside: (...words) =>
      execFileSync("nsenter", [`--net=/proc/${process.pid}/fd/${netns}`, ...words], { encoding: "utf8" }),
    log,
    [Symbol.asyncDispose]: async () => {
      if (engine?.exitCode !== null || engine.signalCode !== null) await start();
      const ids = (await ok(["ps", "-aq"])).split("\n").filter(Boolean);
      if (ids.length > 0) await ok(["rm", "-f", "-v", ...ids]);
      await stop("SIGTERM");
      if (netns !== undefined) closeSync(netns);
      refuseMounts(home);
      for (const each of [home, run]) rmSync(each, { recursive: true, force: true });
    },
  };
}

/** Removing a tree in which something is still mounted would remove what is mounted. */
function refuseMounts(directory: string): void {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((point) => point.startsWith(`${directory}/`));
  if (mounts.length > 0) throw new Error(`The engine left mounts behind:\n${mounts.join("\n")}`);
}
