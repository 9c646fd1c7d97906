import { spawnSync } from "node:child_process";
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxTar } from "../../test/support/fixtures.ts";
import { type Dockerd, startDockerd } from "../peers/dockerd.ts";
import { installDocker, PEERS, peerVersion } from "../peers/packages.ts";

export const IMAGE = "bench";

/** A command line that is measured: program, arguments, environment. */
export type Command = readonly [
  program: string,
  args: readonly string[],
  env?: NodeJS.ProcessEnv | undefined,
];

/** The peers that this machine has, each ready to run; what is absent is undefined. */
export interface Peers extends AsyncDisposable {
  readonly docker: Dockerd | undefined;
  /** `podman` with a store of its own, and the arguments every call needs. */
  readonly podman: readonly string[] | undefined;
  /** A bundle whose process is `/bin/true`, for runc and crun. */
  readonly bundle: string;
  /** A bundle whose process sleeps. */
  readonly sleeper: string;
  readonly runc: readonly string[] | undefined;
  readonly crun: readonly string[] | undefined;
  /** The unpacked image, for bwrap. */
  readonly rootfs: string;
  readonly bwrap: boolean;
  /** Lines that say which versions were measured. */
  readonly versions: readonly string[];
}

/** podman asks for more than some machines allow root to have; runc, because crun refuses some hybrids. */
export const PODMAN_RUN = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"] as const;

/**
 * Where run-time state is: in memory, as `/run` is on most machines, for everyone alike; the temporary directory
 * where there is no such place.
 */
export function memoryDirectory(): string {
  const place = "/dev/shm";
  // TMPFS_MAGIC, linux/magic.h
  return existsSync(place) && statfsSync(place).type === 0x01021994 ? place : tmpdir();
}

/** Prepares every peer on the disk that everything else is on. */
export async function preparePeers(): Promise<Peers> {
  mkdirSync(PEERS, { recursive: true });
  const problem = installDocker();
  const home = mkdtempSync(join(PEERS, "bench-"));
  const rootfs = join(home, "rootfs");
  mkdirSync(rootfs);
  must("tar", ["-C", rootfs, "-xf", busyboxTar()]);

  const has = (program: string): boolean => peerVersion(program) !== undefined;
  const bundle = makeBundle(join(home, "bundle"), rootfs, ["/bin/true"]);
  const sleeper = makeBundle(join(home, "sleeper"), rootfs, ["/bin/sleep", "1000000"]);

  // podman wants the path of its run directory short.
  const run = mkdtempSync(join(memoryDirectory(), "cais-peer-"));
  const podmanGlobal = podmanArguments(home, run);
  if (has("podman")) must("podman", [...podmanGlobal, "import", "-q", busyboxTar(), IMAGE]);
  const docker = has("dockerd") ? await startDockerd(memoryDirectory()) : undefined;
  docker?.import(busyboxTar(), IMAGE);

  const absent: string[] = problem === undefined ? [] : [problem];
  /** A peer that cannot do the simplest thing here is absent, and the table says why. */
  const works = (program: string, args: readonly string[]): boolean => {
    if (!has(program)) return false;
    const trial = spawnSync(program, args, { encoding: "utf8" });
    if (trial.status !== 0) absent.push(`${program} does not work here: ${trial.stderr.trim()}`);
    return trial.status === 0;
  };
  const runtime = (name: "runc" | "crun"): readonly string[] | undefined => {
    const global = ["--root", join(run, name)];
    return works(name, [...global, "run", "-b", bundle, "trial"]) ? global : undefined;
  };
  const podmanTrial = [
    ...podmanGlobal,
    "run",
    ...PODMAN_RUN,
    "--rm",
    "--network",
    "none",
    IMAGE,
    "/bin/true",
  ];

  return {
    docker,
    podman: works("podman", podmanTrial) ? podmanGlobal : undefined,
    bundle,
    sleeper,
    runc: runtime("runc"),
    crun: runtime("crun"),
    rootfs,
    bwrap: has("bwrap"),
    versions: [
      ...["dockerd", "podman", "runc", "crun", "bwrap"].map(
        (program) => `${program}: ${peerVersion(program) ?? "not there"}`,
      ),
      ...absent,
    ],
    [Symbol.asyncDispose]: async () => {
      await docker?.[Symbol.asyncDispose]();
      // podman leaves its store mounted upon itself, and its parent cgroup in every hierarchy.
      if (has("podman")) spawnSync("umount", [join(home, "podman/overlay")]);
      for (const cgroup of globSync("/sys/fs/cgroup{,/*}/libpod_parent")) removeCgroup(cgroup);
      for (const directory of [home, run]) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Runs a command to its end and returns milliseconds; an error when it fails: nothing else is a measurement. */
export function timeCommand([program, args, env]: Command): number {
  const began = performance.now();
  const result = spawnSync(program, args, { stdio: "ignore", ...(env && { env }) });
  const took = performance.now() - began;
  if (result.status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${result.status}`);
  return took;
}

function podmanArguments(home: string, run: string): string[] {
  const store = ["--root", join(home, "podman"), "--runroot", join(run, "run"), "--tmpdir", join(run, "tmp")];
  return [...store, "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "none"];
}

/** A bundle as `runc spec` writes it, without a terminal. */
function makeBundle(directory: string, rootfs: string, args: readonly string[]): string {
  mkdirSync(directory);
  if (peerVersion("runc") === undefined && peerVersion("crun") === undefined) return directory;
  const program = peerVersion("runc") === undefined ? "crun" : "runc";
  spawnSync(program, ["spec"], { cwd: directory });
  const file = join(directory, "config.json");
  const config = JSON.parse(readFileSync(file, "utf8")) as {
    process: { terminal: boolean; args: readonly string[] };
    root: { path: string };
  };
  config.process.terminal = false;
  config.process.args = args;
  config.root.path = rootfs;
  writeFileSync(file, JSON.stringify(config));
  return directory;
}

function must(program: string, args: readonly string[]): void {
  const result = spawnSync(program, args, { encoding: "utf8" });
  if (result.status !== 0) throw new Error(`${program} ${args.join(" ")}: ${result.stderr}`);
}

function removeCgroup(path: string): void {
  for (const child of globSync(`${path}/*/`)) removeCgroup(child);
  try {
    rmdirSync(path);
  } catch {
    // Somebody else's podman still uses it.
  }
}
