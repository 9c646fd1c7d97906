import { Refusal } from "../oci/error.ts";

type Kind = "string" | "boolean" | "number" | "integer" | "strings" | "texts" | "object" | "list";

/**
 * What kind of value each field of a create request has, for those that are worth a clear refusal before
 * anything looks at them. Fields that are not named here are checked where they are used.
 */
const CONFIG: Readonly<Record<string, Kind>> = {
  Hostname: "string",
  Domainname: "string",
  User: "string",
  AttachStdin: "boolean",
  AttachStdout: "boolean",
  AttachStderr: "boolean",
  ExposedPorts: "object",
  Tty: "boolean",
  OpenStdin: "boolean",
  StdinOnce: "boolean",
  Env: "strings",
  Cmd: "strings",
  Entrypoint: "strings",
  Image: "string",
  Volumes: "object",
  WorkingDir: "string",
  Labels: "texts",
  StopSignal: "string",
  StopTimeout: "integer",
  Shell: "strings",
  HostConfig: "object",
  NetworkingConfig: "object",
  Name: "string",
  Driver: "string",
  DriverOpts: "texts",
};

const HOST: Readonly<Record<string, Kind>> = {
  Binds: "strings",
  NetworkMode: "string",
  PortBindings: "object",
  RestartPolicy: "object",
  LogConfig: "object",
  AutoRemove: "boolean",
  VolumesFrom: "strings",
  CapAdd: "strings",
  CapDrop: "strings",
  Dns: "strings",
  DnsOptions: "strings",
  DnsSearch: "strings",
  ExtraHosts: "strings",
  GroupAdd: "strings",
  IpcMode: "string",
  PidMode: "string",
  UTSMode: "string",
  UsernsMode: "string",
  CgroupnsMode: "string",
  Privileged: "boolean",
  ReadonlyRootfs: "boolean",
  PublishAllPorts: "boolean",
  SecurityOpt: "strings",
  Tmpfs: "texts",
  Sysctls: "texts",
  StorageOpt: "texts",
  Mounts: "list",
  Devices: "list",
  Ulimits: "list",
  MaskedPaths: "strings",
  ReadonlyPaths: "strings",
  Init: "boolean",
  OomScoreAdj: "integer",
  ShmSize: "integer",
  Memory: "integer",
  MemorySwap: "integer",
  MemoryReservation: "integer",
  NanoCpus: "integer",
  CpuShares: "integer",
  CpuPeriod: "integer",
  CpuQuota: "integer",
  PidsLimit: "integer",
  BlkioWeight: "integer",
  CpusetCpus: "string",
  CpusetMems: "string",
  CgroupParent: "string",
};

/** @throws Refusal (400) that names the first field whose value is of the wrong kind */
export function checkShape(body: Readonly<Record<string, unknown>>): void {
  check(body, CONFIG, "");
  const host = body.HostConfig;
  if (isObject(host)) check(host, HOST, "HostConfig.");
}

function check(
  value: Readonly<Record<string, unknown>>,
  kinds: Readonly<Record<string, Kind>>,
  at: string,
): void {
  for (const name in value) {
    const kind = kinds[name];
    const one = value[name];
    // null is what Go sends for nothing.
    if (kind === undefined || one === null || one === undefined || TESTS[kind](one)) continue;
    throw new Refusal("invalid", `invalid JSON: ${at}${name} must be ${WORDS[kind]}`);
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): boolean => typeof value === "string";

const TESTS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  string: isText,
  boolean: (value) => typeof value === "boolean",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  strings: (value) => Array.isArray(value) && value.every(isText),
  texts: (value) => isObject(value) && Object.values(value).every(isText),
  object: isObject,
  list: (value) => Array.isArray(value) && value.every(isObject),
};

const WORDS: Readonly<Record<Kind, string>> = {
  string: "a string",
  boolean: "true or false",
  number: "a number",
  integer: "a whole number",
  strings: "a list of strings",
  texts: "an object of strings",
  object: "an object",
  list: "a list of objects",
};
