import type { ContainerConfig, HostConfig } from "../../wire/container.ts";
import type { HostResources } from "../../wire/resources.ts";

/** What kind of value a field has; `null` is always as good as nothing, since Go sends it for that. */
export type Shape =
  | "string"
  | "boolean"
  | "integer"
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> };

type Fields<T> = { readonly [key in keyof T]-?: Shape };

const STRINGS: Shape = { list: "string" };
const TEXTS: Shape = { map: "string" };
const OBJECT: Shape = { fields: {} };
const integers = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "integer"] as const));
const strings = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "string"] as const));

const THROTTLES: Shape = { list: { fields: { Path: "string", Rate: "integer" } } };

const RESOURCES: Fields<HostResources> = {
  CpuShares: "integer",
  Memory: "integer",
  NanoCpus: "integer",
  CgroupParent: "string",
  BlkioWeight: "integer",
  BlkioWeightDevice: { list: { fields: { Path: "string", Weight: "integer" } } },
  BlkioDeviceReadBps: THROTTLES,
  BlkioDeviceWriteBps: THROTTLES,
  BlkioDeviceReadIOps: THROTTLES,
  BlkioDeviceWriteIOps: THROTTLES,
  CpuPeriod: "integer",
  CpuQuota: "integer",
  CpuRealtimePeriod: "integer",
  CpuRealtimeRuntime: "integer",
  CpusetCpus: "string",
  CpusetMems: "string",
  Devices: { list: { fields: strings("PathOnHost", "PathInContainer", "CgroupPermissions") } },
  DeviceCgroupRules: STRINGS,
  DeviceRequests: {
    list: {
      fields: {
        Driver: "string",
        Count: "integer",
        DeviceIDs: STRINGS,
        Capabilities: { list: STRINGS },
        Options: TEXTS,
      },
    },
  },
  KernelMemory: "integer",
  KernelMemoryTCP: "integer",
  MemoryReservation: "integer",
  MemorySwap: "integer",
  MemorySwappiness: "integer",
  OomKillDisable: "boolean",
  PidsLimit: "integer",
  Ulimits: { list: { fields: { Name: "string", Hard: "integer", Soft: "integer" } } },
  CpuCount: "integer",
  CpuPercent: "integer",
  IOMaximumIOps: "integer",
  IOMaximumBandwidth: "integer",
};

const MOUNT: Shape = {
  fields: {
    ...strings("Type", "Source", "Target", "Consistency"),
    ReadOnly: "boolean",
    BindOptions: {
      fields: {
        Propagation: "string",
        NonRecursive: "boolean",
        CreateMountpoint: "boolean",
        ReadOnlyNonRecursive: "boolean",
        ReadOnlyForceRecursive: "boolean",
      },
    },
    VolumeOptions: {
      fields: {
        NoCopy: "boolean",
        Labels: TEXTS,
        Subpath: "string",
        DriverConfig: { fields: { Name: "string", Options: TEXTS } },
      },
    },
    ImageOptions: { fields: { Subpath: "string" } },
    TmpfsOptions: { fields: { ...integers("SizeBytes", "Mode"), Options: { list: STRINGS } } },
    ClusterOptions: OBJECT,
  },
};

const HOST: Fields<HostConfig> = {
  ...RESOURCES,
  Binds: STRINGS,
  ContainerIDFile: "string",
  LogConfig: { fields: { Type: "string", Config: TEXTS } },
  NetworkMode: "string",
  PortBindings: { map: { list: { fields: strings("HostIp", "HostPort") } } },
  RestartPolicy: { fields: { Name: "string", MaximumRetryCount: "integer" } },
  AutoRemove: "boolean",
  VolumeDriver: "string",
  VolumesFrom: STRINGS,
  ConsoleSize: { list: "integer" },
  Annotations: TEXTS,
  CapAdd: STRINGS,
  CapDrop: STRINGS,
  CgroupnsMode: "string",
  Dns: STRINGS,
  DnsOptions: STRINGS,
  DnsSearch: STRINGS,
  ExtraHosts: STRINGS,
  GroupAdd: STRINGS,
  IpcMode: "string",
  Cgroup: "string",
  Links: STRINGS,
  OomScoreAdj: "integer",
  PidMode: "string",
  Privileged: "boolean",
  PublishAllPorts: "boolean",
  ReadonlyRootfs: "boolean",
  SecurityOpt: STRINGS,
  StorageOpt: TEXTS,
  Tmpfs: TEXTS,
  UTSMode: "string",
  UsernsMode: "string",
  ShmSize: "integer",
  Sysctls: TEXTS,
  Runtime: "string",
  Isolation: "string",
  Mounts: { list: MOUNT },
  MaskedPaths: STRINGS,
  ReadonlyPaths: STRINGS,
  Init: "boolean",
};

const CONFIG: Fields<ContainerConfig> = {
  Hostname: "string",
  Domainname: "string",
  User: "string",
  AttachStdin: "boolean",
  AttachStdout: "boolean",
  AttachStderr: "boolean",
  ExposedPorts: { map: OBJECT },
  Tty: "boolean",
  OpenStdin: "boolean",
  StdinOnce: "boolean",
  Env: STRINGS,
  Cmd: STRINGS,
  Healthcheck: {
    fields: { Test: STRINGS, ...integers("Interval", "Timeout", "StartPeriod", "StartInterval", "Retries") },
  },
  ArgsEscaped: "boolean",
  Image: "string",
  Volumes: { map: OBJECT },
  WorkingDir: "string",
  Entrypoint: STRINGS,
  NetworkDisabled: "boolean",
  MacAddress: "string",
  OnBuild: STRINGS,
  Labels: TEXTS,
  StopSignal: "string",
  StopTimeout: "integer",
  Shell: STRINGS,
};

/** Every field that a container can be made with; docs/hostconfig.md says of each what becomes of it. */
export const FIELDS = { HostConfig: Object.keys(HOST), Config: Object.keys(CONFIG) } as const;

/** Why a body is no configuration: the first field whose value is of the wrong kind. Unknown fields do not matter. */
export function wrongShape(config: unknown, host: unknown): string | undefined {
  return wrong(config, { fields: CONFIG }, "") ?? wrong(host, { fields: HOST }, "HostConfig");
}

/** The same for any body, by the fields it can have. */
export function wrongFields(body: unknown, fields: Readonly<Record<string, Shape>>): string | undefined {
  return wrong(body, { fields }, "");
}

/** What a container asks of one network. */
export const ENDPOINT: Shape = {
  fields: {
    IPAMConfig: { fields: { IPv4Address: "string", IPv6Address: "string", LinkLocalIPs: STRINGS } },
    Links: STRINGS,
    Aliases: STRINGS,
    MacAddress: "string",
    DriverOpts: TEXTS,
    GwPriority: "integer",
  },
};

/** What a container asks of all its networks. */
export const NETWORKING: Shape = { fields: { EndpointsConfig: { map: ENDPOINT } } };

/** Bodies of containers as Go reads them: a field is found however it is cased. */
export const canonicalContainer = (body: unknown): unknown =>
  canonical(body, { fields: { ...CONFIG, HostConfig: { fields: HOST }, NetworkingConfig: NETWORKING } });

/** The same for limits (`update`). */
export const canonicalHost = (body: unknown): unknown => canonical(body, { fields: HOST });

/** The value with its fields named as in `shape`, and without those it has not; the same object when that is it. */
export function canonical(value: unknown, shape: Shape): unknown {
  if (typeof value !== "object" || value === null || typeof shape === "string") return value;
  if ("list" in shape)
    return Array.isArray(value) ? mapped(value, (one) => canonical(one, shape.list)) : value;
  if (Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if ("map" in shape) {
    const named = entries.map(
      ([name, one]) => [name, one === null ? nothing(shape.map) : canonical(one, shape.map)] as const,
    );
    return named.every(([, one], index) => one === entries[index]![1]) ? value : Object.fromEntries(named);
  }
  const { fields } = shape;
  // A shape without fields says nothing about what is in it.
  if (Object.keys(fields).length === 0) return value;
  let same = true;
  const named: [string, unknown][] = [];
  for (const [name, one] of entries) {
    const known = Object.hasOwn(fields, name) ? name : spelt(name, fields);
    // Go takes null for nothing said.
    const next = known === undefined ? null : canonical(one, fields[known]!);
    same &&= known === name && next === one && next !== null;
    if (known !== undefined && next !== null) named.push([known, next]);
  }
  return same ? value : Object.fromEntries(named);
}

/** What Go makes of a null in a map. */
const nothing = (shape: Shape): unknown =>
  shape === "string" ? "" : typeof shape === "object" && "fields" in shape ? {} : null;

function spelt(name: string, fields: Readonly<Record<string, Shape>>): string | undefined {
  const lower = name.toLowerCase();
  return Object.keys(fields).find((field) => field.toLowerCase() === lower);
}

function mapped(list: readonly unknown[], call: (value: unknown) => unknown): readonly unknown[] {
  const next = list.map(call);
  return next.every((one, index) => one === list[index]) ? list : next;
}

function wrong(value: unknown, shape: Shape, path: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  const must = (what: string) => `invalid JSON: ${path.slice(0, 120) || "the body"} must be ${what}`;
  if (shape === "string") return typeof value === "string" ? undefined : must("a string");
  if (shape === "boolean") return typeof value === "boolean" ? undefined : must("true or false");
  if (shape === "integer") {
    if (!Number.isInteger(value)) return must("a whole number");
    return Math.abs(value as number) < 2 ** 63 ? undefined : must("a whole number of 64 bits");
  }
  if ("list" in shape) {
    if (!Array.isArray(value)) return must("a list");
    // Nothing in a list is optional.
    return first(value, (one, index) =>
      one === null ? must("a list without null") : wrong(one, shape.list, `${path}[${index}]`),
    );
  }
  if (typeof value !== "object" || Array.isArray(value)) return must("an object");
  const entries = Object.entries(value);
  return first(entries, ([name, one]) => {
    const inner =
      "map" in shape ? shape.map : Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    if (inner === undefined) return undefined;
    return wrong(one, inner, path === "" ? name : `${path}.${name}`);
  });
}

function first<T>(
  values: readonly T[],
  why: (value: T, index: number) => string | undefined,
): string | undefined {
  for (const [index, value] of values.entries()) {
    const reason = why(value, index);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
