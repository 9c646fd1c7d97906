import type { Hierarchy } from "../../cgroup/layout.ts";
import type { CgroupPlan } from "../../cgroup/plan.ts";
import type { Arch } from "../../kernel/arch.ts";
import type { RuntimeSpec } from "../../oci/runtime/spec.ts";
import { call, mem, num, str } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";
import type { Rootfs } from "../../storage/driver.ts";
import { enterCgroups } from "./cgroup.ts";
import { mountCgroups } from "./cgroup-mount.ts";
import { maskPaths, readonlyPaths, sysctls } from "./confinement.ts";
import type { Custody } from "./custody.ts";
import { attachHostDevices, devicesOf, makeDeviceLinks, makeDevices } from "./devices.ts";
import { makeDirectories } from "./files.ts";
import {
  attachBind,
  attachFileSystem,
  makeFileSystem,
  mountFileSystem,
  openSource,
  type PlannedMount,
} from "./mounts.ts";
import { joinNamespaces, type Namespaces } from "./namespaces.ts";
import { dropPrivileges, oomScore, resourceLimits } from "./privileges.ts";
import type { Because } from "./reasons.ts";
import {
  detachPropagation,
  mountRoot,
  pivot,
  propagateRoot,
  readonlyRoot,
  receiveRoot,
  standOnRoot,
} from "./rootfs.ts";
import { loopbackUp, ownSession } from "./streams.ts";
import { execute, underInit } from "./workload.ts";

/** Everything that the parts of a container's own steps are made from. */
export interface ContainerParts {
  readonly spec: RuntimeSpec & Required<Pick<RuntimeSpec, "process">>;
  readonly namespaces: Namespaces;
  readonly mounts: readonly PlannedMount[];
  readonly rootfs: Rootfs;
  /** An empty directory of the host, covered by the root until the pivot. */
  readonly rootPlace: string;
  readonly cgroups: CgroupPlan;
  readonly trees: readonly Hierarchy[];
  readonly custody: Custody;
  readonly init: boolean;
  readonly arch: Arch;
  readonly isDirectory: (path: string) => boolean;
  readonly because: Because;
}

/** In a user namespace these can be made only while the host's own are in sight (fs_fully_visible in fs/namespace.c). */
const needsHost = ({ mount }: PlannedMount) => mount.type === "proc" || mount.type === "sysfs";

const isBind = ({ options }: PlannedMount) => options.bind !== "no";

/** The container's steps, from the clone to `execve`: the second of the launch program's three parts. */
export function containerSteps(parts: ContainerParts): Step[] {
  const { because, mounts, namespaces, spec } = parts;
  const ownUsers = namespaces.has("user");
  return [
    ...parts.custody.forget,
    call("umask", [num(0)], "make files with just the modes asked for"),
    ...(ownUsers ? receiveRoot(parts.rootPlace) : []),
    ...enterCgroups(parts.cgroups, namespaces.has("cgroup")),
    ...(ownUsers ? [] : oomScore(spec.process.oomScoreAdj, because)),
    ...joinNamespaces(namespaces, because),
    ...(ownUsers ? becomeRoot(because) : mounts.filter(isBind).flatMap(openSource)),
    detachPropagation(),
    ...(ownUsers
      ? mounts.filter(needsHost).flatMap(makeFileSystem)
      : [...mountRoot(parts.rootfs, parts.rootPlace), standOnRoot(parts.rootPlace)]),
    ...pivot(),
    ...fileSystems(parts, ownUsers),
    ...propagateRoot(spec.linux?.rootfsPropagation),
    ...names(parts),
    ...(namespaces.has("network") ? loopbackUp() : []),
    ...sysctls(spec.linux?.sysctl ?? {}, because),
    ...readonlyPaths(spec.linux?.readonlyPaths ?? [], because),
    ...maskPaths(spec.linux?.maskedPaths ?? [], parts.isDirectory, because),
    ...workload(parts, ownUsers),
  ];
}

/** Root of the own users, not of the host, from here on. */
function becomeRoot(because: Because): Step[] {
  const reason = because("linux.uidMappings", "become root of the container's own users");
  return [
    call("setresgid", [num(0), num(0), num(0)], reason),
    call("setresuid", [num(0), num(0), num(0)], reason),
  ];
}

/** What the container sees, in the configuration's order; devices as soon as there is a `/dev`. */
function fileSystems({ because, mounts, spec, trees }: ContainerParts, ownUsers: boolean): Step[] {
  const devices = devicesOf(spec.linux?.devices ?? []);
  const makeDev = ownUsers ? attachHostDevices(devices) : makeDevices(devices, because);
  return mounts.flatMap((planned) => {
    const { destination, type } = planned.mount;
    if (isBind(planned)) return attachBind(planned);
    if (type === "cgroup") return mountCgroups(planned, trees);
    if (ownUsers && needsHost(planned)) return attachFileSystem(planned);
    if (destination !== "/dev") return mountFileSystem(planned);
    return [...mountFileSystem(planned), ...makeDev, ...makeDeviceLinks()];
  });
}

function names({ because, namespaces, spec }: ContainerParts): Step[] {
  if (!namespaces.has("uts")) return [];
  const { domainname, hostname } = spec;
  const bytes = (text: string) => mem({ kind: "text", text }, text);
  return [
    ...(hostname === undefined
      ? []
      : [
          call(
            "sethostname",
            [bytes(hostname), num(hostname.length)],
            because("hostname", "set the host name"),
          ),
        ]),
    ...(domainname === undefined
      ? []
      : [
          call(
            "setdomainname",
            [bytes(domainname), num(domainname.length)],
            because("domainname", "set the domain"),
          ),
        ]),
  ];
}

/** The process itself: where it stands, what it holds, what it may, and its program. */
function workload(parts: ContainerParts, ownUsers: boolean): Step[] {
  const { because, custody, init, spec } = parts;
  const { process } = spec;
  const { dies } = custody;
  const privileges = dropPrivileges(process, spec.linux?.seccomp, parts.arch, ownUsers, because, dies);
  const steps = [
    // Who waits has its session already.
    ...(dies ? ownSession(process.terminal === true) : []),
    ...custody.closing,
    ...privileges,
    ...execute(process),
  ];
  return [
    ...custody.streams(process, true),
    ...makeDirectories(process.cwd, because("process.cwd", "make the working directory")),
    ...(spec.root?.readonly === true ? [readonlyRoot(because)] : []),
    call("umask", [num(process.user.umask ?? 0o022, "0022")], "make files as others do"),
    ...resourceLimits(process.rlimits ?? [], because),
    call("chdir", [str(process.cwd)], because("process.cwd", "stand in the working directory")),
    ...custody.wait,
    ...(init ? underInit(steps, privileges) : steps),
  ];
}
