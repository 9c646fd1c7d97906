import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killAll } from "../../../src/cgroup/kill.ts";
import { type Layout, readLayout } from "../../../src/cgroup/layout.ts";
import { remove } from "../../../src/cgroup/remove.ts";
import {
  createLauncher,
  type LauncherOptions,
  type OwnedLauncher,
} from "../../../src/container/keeper/launcher.ts";
import type {
  ExecRequest,
  Exit,
  LaunchRequest,
  Running,
  RuntimeProcess,
  RuntimeSpec,
} from "../../../src/container/launcher.ts";
import { busyboxTar } from "../../support/fixtures.ts";
import { outputOf } from "./output.ts";

/** Docker's default capabilities without those that need a file of their own to be seen. */
const CAPABILITIES = ["CAP_CHOWN", "CAP_SETUID", "CAP_SETGID", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

/** What a test changes of the usual container. */
export interface Wanted {
  readonly process?: Partial<RuntimeProcess>;
  readonly linux?: NonNullable<RuntimeSpec["linux"]>;
  readonly mounts?: RuntimeSpec["mounts"];
  /** Added to the namespaces every container has. */
  readonly namespaces?: readonly ("user" | "time")[];
  /** Namespaces that it shares with the machine. */
  readonly shared?: readonly ("pid" | "network" | "ipc" | "uts")[];
  readonly root?: RuntimeSpec["root"];
  readonly hooks?: RuntimeSpec["hooks"];
  readonly annotations?: RuntimeSpec["annotations"];
  readonly request?: Partial<LaunchRequest>;
}

export interface Finished {
  readonly exit: Exit;
  readonly stdout: string;
  readonly stderr: string;
  readonly running: Running;
}

/** Directories, a busybox image, a launcher and a cgroup of one's own; all of it is removed when disposed. */
export interface Scene extends AsyncDisposable {
  readonly directory: string;
  readonly run: string;
  readonly programs: string;
  readonly layout: Layout;
  readonly launcher: OwnedLauncher;
  /** The image's files on disk. */
  readonly image: string;
  /** What containers wrote, on disk. */
  readonly upper: string;
  readonly cgroup: string;
  request(id: string, args: readonly string[], wanted?: Wanted): LaunchRequest;
  start(id: string, args: readonly string[], wanted?: Wanted): Promise<Running>;
  /** Run to the end and collect. */
  finish(running: Running): Promise<Finished>;
  do(args: readonly string[], wanted?: Wanted): Promise<Finished>;
  exec(
    container: Running,
    args: readonly string[],
    process?: Partial<RuntimeProcess>,
    stdin?: boolean,
  ): Promise<Running>;
  /** Cgroup directories of this scene that are left, its own parent aside. */
  cgroups(): string[];
  /** Resolves when the cgroups of ended containers are gone: the launcher removes them on its own time. */
  quiet(): Promise<void>;
}

let scenes = 0;

/** Text of a script for the container's shell. */
export const shell = (script: string): string[] => ["sh", "-c", script];

/** Make a scene; `again` uses the directories of another one, as an engine after a crash would. */
export async function makeScene(
  extra: Partial<LauncherOptions> = {},
  again?: { directory: string; cgroup: string },
): Promise<Scene> {
  const directory = again?.directory ?? mkdtempSync(join(tmpdir(), "cais-launch-"));
  const run = join(directory, "run");
  const programs = join(directory, "programs");
  const image = join(directory, "image");
  const upper = join(directory, "upper");
  const cgroup = again?.cgroup ?? `/cais-launch-${process.pid}-${++scenes}`;
  if (again === undefined) {
    for (const each of [image, upper, join(directory, "work")]) mkdirSync(each);
    const unpacked = spawnSync("tar", ["-xf", busyboxTar(), "-C", image]);
    if (unpacked.status !== 0) throw new Error(String(unpacked.stderr));
  }
  const layout = readLayout();
  const launcher = await createLauncher({ run, programs, layout, ...extra });
  let count = 0;

  const request = (id: string, args: readonly string[], wanted: Wanted = {}): LaunchRequest => ({
    id,
    runDir: join(run, "containers", id),
    spec: specOf(args, wanted, `${cgroup}/${id}`),
    origins: new Map(),
    rootfs: { kind: "overlay", base: directory, lower: ["image"], upper: "upper", work: "work" },
    stdin: false,
    trace: false,
    init: false,
    ...wanted.request,
  });
  const finish = async (running: Running): Promise<Finished> => {
    const { stderr, stdout } = await outputOf(running);
    const exit = await running.exited;
    running.release();
    return { exit, stdout, stderr, running };
  };
  const start: Scene["start"] = (id, args, wanted) => launcher.start(request(id, args, wanted));
  const cgroups = () =>
    layout.hierarchies.flatMap((tree) => {
      const parent = join(tree.path, cgroup);
      if (!existsSync(parent)) return [];
      return readdirSync(parent, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => join(parent, name));
    });
  const quiet = async () => {
    for (let tries = 0; cgroups().length > 0 && tries < 100; tries++)
      await new Promise((done) => setTimeout(done, 20));
  };

  return {
    directory,
    run,
    programs,
    layout,
    launcher,
    image,
    upper,
    cgroup,
    request,
    start,
    finish,
    do: async (args, wanted) => finish(await start(`c${++count}`, args, wanted)),
    exec(container, args, process = {}, stdin = false) {
      const id = `x${++count}`;
      const made: ExecRequest = {
        id,
        runDir: join(run, "execs", id),
        container,
        process: processOf(args, process),
        stdin,
        origins: new Map(),
      };
      return launcher.exec(made);
    },
    cgroups,
    quiet,
    async [Symbol.asyncDispose]() {
      await quiet();
      await launcher.close().catch(() => undefined);
      await killAll(layout, cgroup);
      await remove(layout, cgroup);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function processOf(args: readonly string[], changed: Partial<RuntimeProcess> = {}): RuntimeProcess {
  return {
    user: { uid: 0, gid: 0 },
    args: [...args],
    env: ["PATH=/bin", "HOME=/root"],
    cwd: "/",
    capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
    ...changed,
  };
}

function specOf(args: readonly string[], wanted: Wanted, cgroupsPath: string): RuntimeSpec {
  const own = (["pid", "network", "mount", "ipc", "uts", "cgroup"] as const).filter(
    (type) => type === "mount" || type === "cgroup" || !wanted.shared?.includes(type),
  );
  const ids = [{ containerID: 0, hostID: 200_000, size: 65_536 }];
  const { namespaces = [] } = wanted;
  return {
    ociVersion: "1.2.0",
    root: { path: "rootfs", ...wanted.root },
    ...(own.includes("uts") ? { hostname: "box" } : {}),
    mounts: [...MOUNTS, ...(wanted.mounts ?? [])],
    process: processOf(args, wanted.process),
    ...(wanted.hooks === undefined ? {} : { hooks: wanted.hooks }),
    ...(wanted.annotations === undefined ? {} : { annotations: wanted.annotations }),
    linux: {
      cgroupsPath,
      namespaces: [...own, ...namespaces].map((type) => ({ type })),
      resources: { pids: { limit: 100 } },
      maskedPaths: ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/sys/firmware"],
      readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
      ...(namespaces.includes("user") ? { uidMappings: ids, gidMappings: ids } : {}),
      ...wanted.linux,
    },
  };
}

/** What every container of Docker's mounts. */
export const MOUNTS: NonNullable<RuntimeSpec["mounts"]> = [
  { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
  {
    destination: "/dev",
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
  },
  {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
  },
  { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
  {
    destination: "/sys/fs/cgroup",
    type: "cgroup",
    source: "cgroup",
    options: ["ro", "nosuid", "noexec", "nodev"],
  },
  { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
  {
    destination: "/dev/shm",
    type: "tmpfs",
    source: "shm",
    options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
  },
];
