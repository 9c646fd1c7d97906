import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { PEERS, peerPath } from "./packages.ts";

/** A Docker daemon of our own: it sees neither the machine's network nor leaves a mount in it. */
export interface Dockerd extends AsyncDisposable {
  /** `unix:///…/docker.sock`, for DOCKER_HOST. */
  readonly host: string;
  readonly socket: string;
  /** Pid of dockerd; its containerd is a child of it. */
  readonly pid: number;
  /** Environment with which `docker` finds this daemon. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs `docker`, returns its stdout; an error with its stderr when it fails. */
  docker(...args: string[]): string;
  /** `docker import` of a root file system tar; no registry is asked. */
  import(tar: string, reference: string): void;
}

/**
 * Starts dockerd in network and mount namespaces of its own with its data under `.cache/peers` (the disk that
 * everything else is on) and its run-time state in a directory of its own in `runHome`; `more` are arguments of its
 * own. Ready when it returns.
 */
export async function startDockerd(runHome = tmpdir(), more: readonly string[] = []): Promise<Dockerd> {
  mkdirSync(PEERS, { recursive: true });
  const data = mkdtempSync(join(PEERS, "data-"));
  const run = mkdtempSync(join(runHome, "cais-peer-"));
  const config = join(run, "daemon.json");
  writeFileSync(config, "{}\n");
  const socket = join(run, "docker.sock");
  const host = `unix://${socket}`;
  const parent = `/${basename(run)}`;
  const env = { ...process.env, PATH: peerPath(), DOCKER_HOST: host, DOCKER_CONFIG: run };
  // It ends with us, however we end. The cgroup file systems that it sees are the machine's own; the mounts that
  // it makes are not.
  const script =
    'ip link set lo up; mount -t tmpfs tmpfs /run/docker 2>/dev/null; exec setpriv --pdeathsig TERM dockerd "$@"';
  const args = [
    ...["--data-root", data, "--exec-root", join(run, "exec"), "-p", join(run, "pid"), "-H", host],
    ...["--config-file", config, "--group", "root", "--cgroup-parent", parent],
    ...more,
  ];
  const child = spawn("unshare", ["-n", "-m", "sh", "-c", script, "dockerd", ...args], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const clean = () => {
    for (const cgroup of globSync(`/sys/fs/cgroup{,/*}${parent}`)) removeCgroup(cgroup);
    for (const dir of [run, data]) rmSync(dir, { recursive: true, force: true });
  };
  try {
    await listening(child);
  } catch (error) {
    await stop(child);
    clean();
    throw error;
  }
  const docker = (...args: string[]): string => {
    const result = spawnSync("docker", args, { env, encoding: "utf8", maxBuffer: 64 << 20 });
    if (result.status !== 0) throw new Error(`docker ${args.join(" ")}: ${result.stderr}`);
    return result.stdout;
  };
  return {
    host,
    socket,
    env,
    pid: child.pid ?? 0,
    docker,
    import: (tar, reference) => void docker("import", tar, reference),
    [Symbol.asyncDispose]: async () => {
      await stop(child);
      clean();
    },
  };
}

/** dockerd says "API listen on …" when it answers; if it ends before, its last lines are the reason. */
async function listening(child: ChildProcess): Promise<void> {
  if (!child.stderr) throw new Error("dockerd has no stderr");
  const last: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.includes("API listen on")) {
      child.stderr.resume();
      return;
    }
    last.push(line);
    if (last.length > 5) last.shift();
  }
  throw new Error(`Cannot start dockerd:\n${last.join("\n")}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}

/** A container that a killed shim left behind keeps its cgroup: that is not worth losing the rest of the cleaning. */
function removeCgroup(path: string): void {
  try {
    for (const child of globSync(`${path}/*/`)) rmdirSync(child);
    rmdirSync(path);
  } catch {
    // EBUSY: it is still in use.
  }
}
