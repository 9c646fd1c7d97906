import type { Device, IntelRdt, Linux, Namespace, TimeOffset } from "./linux.ts";
import {
  absolutePath,
  flag,
  int64,
  list,
  name,
  object,
  oneOf,
  type Reader,
  record,
  text,
  uint32,
  whole,
  wrong,
} from "./read.ts";
import { readResources } from "./read-resources.ts";
import { readSeccomp } from "./read-seccomp.ts";
import type { IdMapping } from "./spec.ts";

/** `linux` of a runtime configuration (config-linux.md). */

export const idMappings: Reader<readonly IdMapping[]> = list(
  object<IdMapping>(
    { containerID: uint32, hostID: uint32, size: whole(1, 2 ** 32 - 1, "a number of users") },
    "containerID",
    "hostID",
    "size",
  ),
);

const namespace: Reader<Namespace> = (value, at, warnings) => {
  const given = value as { readonly path?: string };
  // "" is how writers that do not leave it out write "a new one".
  const read = object<Namespace>(
    {
      type: oneOf("pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"),
      path: absolutePath,
    },
    "type",
  );
  if (given?.path !== "") return read(value, at, warnings);
  const { path: _, ...made } = given;
  return read(made, at, warnings);
};

const device: Reader<Device> = (value, at, warnings) => {
  const read = object<Device>(
    {
      path: absolutePath,
      type: oneOf("c", "u", "b", "p"),
      major: whole(0, 0xfff, "a number of a driver"),
      minor: whole(0, 0xfffff, "a number of a device"),
      fileMode: whole(0, 0o177777, "permission bits"),
      uid: uint32,
      gid: uint32,
    },
    "path",
    "type",
  )(value, at, warnings);
  if (read.type !== "p" && (read.major === undefined || read.minor === undefined))
    throw wrong(at, "a device needs major and minor");
  return read;
};

const offset = object<TimeOffset>({ secs: int64, nanosecs: whole(0, 999_999_999, "nanoseconds") });

const intelRdt = object<IntelRdt>({
  closID: text,
  schemata: list(text),
  l3CacheSchema: text,
  memBwSchema: text,
  enableCMT: flag,
  enableMBM: flag,
  enableMonitoring: flag,
});

export const readLinux: Reader<Linux> = object<Linux>({
  uidMappings: idMappings,
  gidMappings: idMappings,
  timeOffsets: object<NonNullable<Linux["timeOffsets"]>>({ monotonic: offset, boottime: offset }),
  sysctl: record(text),
  resources: readResources,
  cgroupsPath: text,
  namespaces: list(namespace),
  devices: list(device),
  netDevices: record(object<{ readonly name?: string }>({ name })),
  seccomp: readSeccomp,
  rootfsPropagation: oneOf(
    "shared",
    "slave",
    "private",
    "unbindable",
    "rshared",
    "rslave",
    "rprivate",
    "runbindable",
  ),
  maskedPaths: list(absolutePath),
  readonlyPaths: list(absolutePath),
  mountLabel: text,
  intelRdt,
  memoryPolicy: object<NonNullable<Linux["memoryPolicy"]>>(
    { mode: name, nodes: text, flags: list(name) },
    "mode",
  ),
  personality: object<NonNullable<Linux["personality"]>>(
    { domain: oneOf("LINUX", "LINUX32"), flags: list(name) },
    "domain",
  ),
});
