import { isUserDefined, networkOf } from "../../container/endpoint.ts";
import { isUp } from "../../container/lifecycle.ts";
import { netFilesOf } from "../../container/netfiles.ts";
import type { ContainerRecord } from "../../container/record.ts";
import { DEFAULT_MASKED, DEFAULT_READONLY } from "../../container/spec/paths.ts";
import { parseSecurityOptions } from "../../container/spec/security.ts";
import { NEVER } from "../../container/time.ts";
import type { ContainerConfig, HostConfig } from "../../wire/container.ts";
import { EMPTY_CONFIG } from "../../wire/empty.ts";
import type { ContainerInspect, ContainerState } from "../../wire/inspect.ts";
import type { MountPoint } from "../../wire/summary.ts";
import type { Container } from "../container.ts";
import type { Context } from "../context.ts";
import { namesFolder } from "../networks/files.ts";
import { networkSettings } from "../networks/settings.ts";
import { graphDriver } from "./graph.ts";
import { logPath } from "./log.ts";

/** The whole of a container, as Docker tells it. */
export async function inspect(
  context: Context,
  container: Container,
  options: { readonly size: boolean },
): Promise<ContainerInspect> {
  const { record } = container;
  const files = netFilesOf(namesFolder(context, record));
  const security = parseSecurityOptions(record.host.SecurityOpt);
  const begun = record.state.startedAt !== NEVER || record.state.error !== "";
  const sizes = options.size ? await sizesOf(context, record) : {};
  return {
    Id: record.id,
    Created: record.created,
    Path: record.path,
    Args: record.args,
    State: stateOf(record),
    Image: record.image,
    // Docker knows these paths from the first start on.
    ResolvConfPath: begun ? files.resolvConf : "",
    HostnamePath: begun ? files.hostname : "",
    HostsPath: begun ? files.hosts : "",
    LogPath: begun && container.logOptions.driver === "json-file" ? (logPath(context, container) ?? "") : "",
    Name: `/${record.name}`,
    RestartCount: record.state.restartCount,
    Driver: context.images.driver.name,
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: typeof security === "string" ? "" : (security.apparmor ?? ""),
    ExecIDs: execsOf(context, container),
    HostConfig: hostOf(record),
    GraphDriver: graphDriver(context, record.id),
    ...sizes,
    Mounts: shownMounts(record),
    Config: configOf(record),
    NetworkSettings: networkSettings(record),
  };
}

/** Bytes of the container's own files, and with those of its image. */
export async function sizesOf(
  context: Context,
  record: ContainerRecord,
): Promise<{ readonly SizeRw: number; readonly SizeRootFs: number }> {
  const own = await context.images.driver.usage(record.id);
  const image = context.images.find(record.image);
  return { SizeRw: own, SizeRootFs: own + (image ? context.images.inspect(image.id).Size : 0) };
}

/** `--tmpfs` is told by `HostConfig.Tmpfs` alone. */
export const shownMounts = ({ mounts, host }: ContainerRecord): readonly MountPoint[] =>
  mounts.filter(({ Type, Destination }) => Type !== "tmpfs" || !Object.hasOwn(host.Tmpfs ?? {}, Destination));

/** Those that have yet to end, as in Docker. */
function execsOf(context: Context, { execs }: Container): string[] | null {
  const open = [...(execs ?? [])].filter((id) => context.execs.get(id)?.exitCode === null);
  return open.length > 0 ? open : null;
}

function stateOf({ state }: ContainerRecord): ContainerState {
  return {
    Status: state.status,
    Running: isUp(state.status),
    Paused: state.status === "paused",
    Restarting: state.status === "restarting",
    OOMKilled: state.oomKilled,
    Dead: state.status === "dead",
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
    ...(state.health && { Health: state.health }),
  };
}

const CONFIG = { ...EMPTY_CONFIG, Env: [], Labels: {} } as const satisfies ContainerConfig;

/** `MacAddress`, of before there were several networks, is what is asked of the first. */
function configOf({ config, host, endpoints }: ContainerRecord): ContainerConfig {
  const { MacAddress: _, ...own } = config;
  const asked = endpoints[networkOf(host.NetworkMode)]?.asked.MacAddress;
  return { ...CONFIG, ...own, ...(asked ? { MacAddress: asked } : {}) };
}

const HOST = {
  Binds: null,
  ContainerIDFile: "",
  LogConfig: { Type: "json-file", Config: {} },
  NetworkMode: "bridge",
  PortBindings: null,
  RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: "",
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: "private",
  Dns: null,
  DnsOptions: null,
  DnsSearch: null,
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: "private",
  Cgroup: "",
  Links: null,
  OomScoreAdj: 0,
  PidMode: "",
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: "",
  UsernsMode: "",
  ShmSize: 67_108_864,
  Runtime: "cais",
  Isolation: "",
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: "",
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: "",
  CpusetMems: "",
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: false,
  PidsLimit: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
  MaskedPaths: null,
  ReadonlyPaths: null,
} as const satisfies HostConfig;

/** What was left out of a binding is told as empty. */
const wholeBindings = (
  ports: NonNullable<HostConfig["PortBindings"]>,
): NonNullable<HostConfig["PortBindings"]> =>
  Object.fromEntries(
    Object.entries(ports).map(([port, bindings]) => [
      port,
      bindings?.map(({ HostIp = "", HostPort = "" }) => ({ HostIp, HostPort })) ?? null,
    ]),
  );

/** Docker shows memory and swap as twice the memory where only the memory was given. */
function hostOf({ host }: ContainerRecord): HostConfig {
  const swap = host.Memory && !host.MemorySwap ? { MemorySwap: host.Memory * 2 } : {};
  const policy = { ...HOST.RestartPolicy, ...host.RestartPolicy };
  return {
    ...HOST,
    ...host,
    ...swap,
    PortBindings: host.PortBindings ? wholeBindings(host.PortBindings) : null,
    // A privileged container has neither.
    MaskedPaths: host.MaskedPaths ?? (host.Privileged ? null : DEFAULT_MASKED),
    ReadonlyPaths: host.ReadonlyPaths ?? (host.Privileged ? null : DEFAULT_READONLY),
    NetworkMode: networkOf(host.NetworkMode),
    // On a network that somebody made they are the network's.
    Links: (!isUserDefined(networkOf(host.NetworkMode)) && host.Links) || null,
    RestartPolicy: { ...policy, Name: policy.Name || "no" },
    LogConfig: {
      Type: host.LogConfig?.Type || "json-file",
      Config: host.LogConfig?.Config ?? {},
    },
    ShmSize: host.ShmSize || HOST.ShmSize,
    IpcMode: host.IpcMode || HOST.IpcMode,
    CgroupnsMode: host.CgroupnsMode || HOST.CgroupnsMode,
    Runtime: host.Runtime || HOST.Runtime,
  };
}
