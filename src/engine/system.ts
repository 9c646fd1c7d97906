import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { arch, cpus, hostname, release, totalmem } from "node:os";
import { readLabels } from "../container/launch/attributes.ts";
import { isUp } from "../container/lifecycle.ts";
import { now } from "../container/time.ts";
import type { Obstacle } from "../network/firewall/types.ts";
import type { DiskUsage, Info, Version } from "../wire/system.ts";
import { API_VERSION, MIN_API_VERSION, VERSION } from "../wire/version.ts";
import { list } from "./containers/list.ts";
import type { Engine } from "./engine.ts";
import { volumesWithUsage } from "./volumes.ts";

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
const MACHINES: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/** `GET /version`. */
export function version(): Version {
  return {
    Platform: { Name: "cais" },
    Components: [
      {
        Name: "Engine",
        Version: VERSION,
        Details: {
          ApiVersion: API_VERSION,
          MinAPIVersion: MIN_API_VERSION,
          Os: "linux",
          KernelVersion: release(),
        },
      },
    ],
    Version: VERSION,
    ApiVersion: API_VERSION,
    MinAPIVersion: MIN_API_VERSION,
    GitCommit: "",
    GoVersion: "",
    Os: "linux",
    Arch: ARCHITECTURES[arch()] ?? arch(),
    KernelVersion: release(),
    BuildTime: "",
  };
}

/** `GET /info`. @param obstacles what other people's firewall rules keep from containers */
export function info(engine: Engine, obstacles: readonly Obstacle[]): Info {
  const states = [...engine.containers.values()].map(({ record }) => record.state.status);
  const count = (test: (state: (typeof states)[number]) => boolean): number => states.filter(test).length;
  const { layout } = engine.cgroups;
  const has = (controller: string): boolean => layout.controllers.has(controller);
  const system = osRelease();
  return {
    ID: machineId(),
    Containers: states.length,
    ContainersRunning: count((state) => isUp(state) && state !== "paused"),
    ContainersPaused: count((state) => state === "paused"),
    ContainersStopped: count((state) => !isUp(state)),
    Images: engine.images.list({ all: true }).length,
    Driver: engine.images.driver.name,
    DriverStatus: [["Supports d_type", "true"]],
    Plugins: {
      Volume: ["local"],
      Network: ["bridge", "host", "null"],
      Authorization: null,
      Log: ["journald", "json-file", "local", "none", "syslog"],
    },
    MemoryLimit: has("memory"),
    SwapLimit: has("memory"),
    CpuCfsPeriod: has("cpu"),
    CpuCfsQuota: has("cpu"),
    CPUShares: has("cpu"),
    CPUSet: has("cpuset"),
    PidsLimit: has("pids"),
    IPv4Forwarding: read("/proc/sys/net/ipv4/ip_forward").trim() === "1",
    Debug: false,
    NFd: entries("/proc/self/fd"),
    OomKillDisable: has("memory") && layout.mode !== "v2",
    // What comes nearest: threads.
    NGoroutines: entries("/proc/self/task"),
    SystemTime: now(),
    LoggingDriver: "json-file",
    CgroupDriver: "cgroupfs",
    CgroupVersion: layout.mode === "v2" ? "2" : "1",
    NEventsListener: engine.events.listeners,
    KernelVersion: release(),
    OperatingSystem: system.get("PRETTY_NAME") ?? "Linux",
    OSVersion: system.get("VERSION_ID") ?? "",
    OSType: "linux",
    Architecture: MACHINES[arch()] ?? arch(),
    IndexServerAddress: "https://index.docker.io/v1/",
    NCPU: cpus().length,
    MemTotal: totalmem(),
    DockerRootDir: engine.root,
    Name: hostname(),
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: VERSION,
    Runtimes: { cais: { path: "cais" } },
    DefaultRuntime: "cais",
    Swarm: {
      NodeID: "",
      NodeAddr: "",
      LocalNodeState: "inactive",
      ControlAvailable: false,
      Error: "",
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: "",
    InitBinary: "cais",
    SecurityOptions: [
      ...(readLabels().apparmor ? ["name=apparmor"] : []),
      "name=seccomp,profile=builtin",
      "name=cgroupns",
    ],
    Warnings: warnings(has, obstacles, engine.warnings),
    KernelMemoryTCP: has("memory") && layout.mode !== "v2",
    RegistryConfig: REGISTRIES,
    GenericResources: null,
    HttpProxy: "",
    HttpsProxy: "",
    NoProxy: "",
    CDISpecDirs: [],
    ContainerdCommit: { ID: "" },
    RuncCommit: { ID: "" },
    InitCommit: { ID: "" },
    FirewallBackend: { Driver: "nftables" },
  };
}

export const USAGE_TYPES = ["container", "image", "volume", "build-cache"] as const;
export type UsageType = (typeof USAGE_TYPES)[number];

/** `GET /system/df`; what is not of the asked types is null. */
export async function diskUsage(engine: Engine, types: ReadonlySet<UsageType>): Promise<DiskUsage> {
  const { driver } = engine.images;
  const layers = (): number => driver.layers().reduce((sum, layer) => sum + driver.layerSize(layer), 0);
  return {
    LayersSize: types.has("image") ? layers() : 0,
    Images: types.has("image") ? engine.images.list({ shared: true }) : null,
    Containers: types.has("container") ? await list(engine, { all: true, size: true }) : null,
    Volumes: types.has("volume") ? await volumesWithUsage(engine) : null,
    BuildCache: types.has("build-cache") ? [] : null,
  };
}

/** What Docker says when nothing is configured. */
const REGISTRIES = {
  IndexConfigs: { "docker.io": { Mirrors: [], Name: "docker.io", Official: true, Secure: true } },
  InsecureRegistryCIDRs: ["::1/128", "127.0.0.0/8"],
  Mirrors: null,
};

function warnings(
  has: (controller: string) => boolean,
  obstacles: readonly Obstacle[],
  others: readonly string[],
): string[] | null {
  const missing = ["memory", "cpu", "cpuset", "pids"].filter((controller) => !has(controller));
  const all = [
    ...others,
    ...missing.map((controller) => `WARNING: No ${controller} limit support`),
    ...obstacles.map(({ message }) => `WARNING: ${message}`),
  ];
  return all.length === 0 ? null : all;
}

const entries = (directory: string): number => readdirSync(directory).length;

function osRelease(): ReadonlyMap<string, string> {
  const lines = (read("/etc/os-release") || read("/usr/lib/os-release")).split("\n");
  return new Map(
    lines.flatMap((line) => {
      const match = /^([A-Z_]+)="?([^"]*)"?$/.exec(line);
      return match ? [[match[1]!, match[2]!] as const] : [];
    }),
  );
}

/** Stays the same on one machine, and does not give its machine id away. */
function machineId(): string {
  const hash = createHash("sha256")
    .update(`cais ${read("/etc/machine-id")}`)
    .digest("hex");
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-${hash.slice(12, 16)}-${hash.slice(16, 20)}-${hash.slice(20, 32)}`;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
