import type { Hierarchy } from "../../cgroup/layout.ts";
import type { CgroupPlan } from "../../cgroup/plan.ts";
import type { Arch } from "../../kernel/arch.ts";
import { PR } from "../../kernel/flags.ts";
import type { Endpoint } from "../../network/endpoint.ts";
import { childWires, forgetWires } from "../../network/wires/launch.ts";
import type { RuntimeSpec } from "../../oci/runtime/spec.ts";
import { call, mem, num, str } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";
import type { Rootfs } from "../../storage/driver.ts";
import { enterCgroups } from "./cgroup.ts";
import { mountCgroups } from "./cgroup-mount.ts";
import { maskPaths, readonlyPaths, sysctls } from "./confinement.ts";
import { attachHostDevices, bindConsole, devicesOf, makeDeviceLinks, makeDevices } from "./devices.ts";
import { makeDirectories } from "./files.ts";
import { containerHooks, forgetHookOutput, type HookParts, keepHostView, startHooks } from "./hooks.ts";
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
import { unheard } from "./seccomp.ts";
import { forgetKeeper } from "./session.ts";
import { loopbackUp, openTerminal, ownSession, pipeStreams, terminalStreams } from "./streams.ts";
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
  readonly stdin: boolean;
  readonly init: boolean;
  readonly endpoints: readonly Endpoint[];
  readonly arch: Arch;
  readonly isDirectory: (path: string) => boolean;
  readonly because: Because;
  /** Absent where there is no bundle that could have hooks. */
  readonly hooks?: HookParts;
}

/** In a user namespace these can be made only while the host's own are in sight (fs_fully_visible in fs/namespace.c). */
const needsHost = ({ mount }: PlannedMount) => mount.type === "proc" || mount.type === "sysfs";

const isBind = ({ options }: PlannedMount) => options.bind !== "no";

/** The container's steps, from the clone to `execve`: the second of the launch program's three parts. */
export function containerSteps(parts: ContainerParts): Step[] {
  const { because, endpoints, hooks, mounts, namespaces, spec } = parts;
  const ownUsers = namespaces.has("user");
  return [
    ...forgetKeeper(),
    ...forgetWires(endpoints),
    ...(hooks === undefined ? [] : forgetHookOutput(spec, hooks.bundle)),
    call("prctl", [num(PR.SET_PDEATHSIG, "PR_SET_PDEATHSIG"), num(9, "SIGKILL")], "end when the keeper ends"),
    call("umask", [num(0)], "make files with just the modes asked for"),
    ...(ownUsers ? receiveRoot(parts.rootPlace) : []),
    ...enterCgroups(parts.cgroups, namespaces.has("cgroup")),
    ...(ownUsers ? [] : oomScore(spec.process.oomScoreAdj, because)),
    ...joinNamespaces(namespaces, because),
    // Only the host's root finds the way to the bundle.
    ...(ownUsers && hooks !== undefined ? [detachPropagation(), ...keepHostView(hooks)] : []),
    ...(ownUsers ? becomeRoot(because) : mounts.filter(isBind).flatMap(openSource)),
    detachPropagation(),
    ...(hooks === undefined || ownUsers ? [] : keepHostView(hooks)),
    ...(ownUsers
      ? mounts.filter(needsHost).flatMap(makeFileSystem)
      : [...mountRoot(parts.rootfs, parts.rootPlace), standOnRoot(parts.rootPlace)]),
    ...pivot(),
    ...fileSystems(parts, ownUsers),
    ...(hooks === undefined ? [] : containerHooks(hooks, destinationsOf(mounts))),
    ...propagateRoot(spec.linux?.rootfsPropagation),
    ...names(parts),
    ...(endpoints.length > 0 ? childWires(endpoints) : namespaces.has("network") ? loopbackUp() : []),
    ...sysctls(spec.linux?.sysctl ?? {}, because),
    ...readonlyPaths(spec.linux?.readonlyPaths ?? [], because),
    ...maskPaths(spec.linux?.maskedPaths ?? [], parts.isDirectory, because),
    ...workload(parts, ownUsers),
  ];
}

const destinationsOf = (mounts: readonly PlannedMount[]): ReadonlySet<string> =>
  new Set(mounts.filter((planned) => !isBind(planned)).map(({ mount }) => mount.destination));

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

/** What the workload may, for those beside it: what it hands to a listener is not there for a hook or an init. */
function lesserPrivileges({ arch, because, spec }: ContainerParts, ownUsers: boolean): Step[] {
  const { linux: { seccomp } = {}, process } = spec;
  return dropPrivileges(process, unheard(seccomp), arch, ownUsers, because);
}

/** The process itself: where it stands, what it holds, what it may, and its program. */
function workload(parts: ContainerParts, ownUsers: boolean): Step[] {
  const { because, init, spec, stdin } = parts;
  const { process } = spec;
  const terminal = process.terminal === true;
  // Without a bundle there is nobody to tell of a listener.
  const seccomp = parts.hooks === undefined ? unheard(spec.linux?.seccomp) : spec.linux?.seccomp;
  const privileges = dropPrivileges(process, seccomp, parts.arch, ownUsers, because);
  const steps = [...ownSession(terminal), ...privileges, ...execute(process)];
  return [
    ...(terminal ? [...openTerminal(process.consoleSize), ...bindConsole("terminal")] : []),
    ...(terminal ? terminalStreams(process.user.uid) : pipeStreams(stdin, process.user.uid)),
    ...makeDirectories(process.cwd, because("process.cwd", "make the working directory")),
    ...(spec.root?.readonly === true ? [readonlyRoot(because)] : []),
    call("umask", [num(process.user.umask ?? 0o022, "0022")], "make files as others do"),
    ...resourceLimits(process.rlimits ?? [], because),
    call("chdir", [str(process.cwd)], because("process.cwd", "stand in the working directory")),
    ...(parts.hooks === undefined ? [] : startHooks(parts.hooks, lesserPrivileges(parts, ownUsers))),
    ...(init ? underInit(steps, lesserPrivileges(parts, ownUsers)) : steps),
  ];
}
