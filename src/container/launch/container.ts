import type { Hierarchy } from "../../cgroup/layout.ts";
import type { CgroupPlan } from "../../cgroup/plan.ts";
import type { Arch } from "../../kernel/arch.ts";
import type { Endpoint } from "../../network/endpoint.ts";
import { childWires } from "../../network/wires/launch.ts";
import { notifies } from "../../oci/runtime/read-seccomp.ts";
import type { RuntimeSpec } from "../../oci/runtime/spec.ts";
import { call, mem, num } from "../../plan/build.ts";
import type { Reason, Step } from "../../plan/step.ts";
import type { Rootfs } from "../../storage/driver.ts";
import { anyProcessor, openLabel, processAttributes, readLabels, writeLabel } from "./attributes.ts";
import { cgroupTrees } from "./bundle-cgroups.ts";
import { attachNodes, makeLinks, makeNodes } from "./bundle-devices.ts";
import { isPlain, mountAll, mountFromHost, mountOne, openOwnCgroups } from "./bundle-mounts.ts";
import { awaitCgroups, type CgroupSteps, enterCgroups } from "./cgroup.ts";
import { mountCgroups } from "./cgroup-mount.ts";
import { maskPaths, readonlyPaths, sysctls } from "./confinement.ts";
import type { Custody } from "./custody.ts";
import { attachHostDevices, devicesOf, makeDeviceLinks, makeDevices } from "./devices.ts";
import { enterCopy, leaveCopy } from "./elsewhere.ts";
import { containerHooks, forgetHookOutput, type HookParts, keepHostView, startHooks } from "./hooks.ts";
import {
  attachFileSystem,
  makeFileSystem,
  mountFileSystem,
  openSource,
  type PlannedMount,
} from "./mounts.ts";
import { joinCgroupNamespace, joinNamespaces, type Namespaces } from "./namespaces.ts";
import type { NetDeviceSteps } from "./net-devices.ts";
import { inKernel, isTop, stagesOf } from "./own.ts";
import { standIn, standInside } from "./place.ts";
import { dropPrivileges, oomScore, resourceLimits } from "./privileges.ts";
import { makeReadonly } from "./readonly.ts";
import type { Because } from "./reasons.ts";
import {
  detachPropagation,
  mountBundleRoot,
  mountRoot,
  pivot,
  propagateRoot,
  readonlyRoot,
  receiveRoot,
  standOnRoot,
} from "./rootfs.ts";
import { unheard } from "./seccomp.ts";
import { loopbackUp, ownSession } from "./streams.ts";
import { plainRoot, takeRoot, waitForUsers } from "./users.ts";
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
  readonly cgroupSteps: CgroupSteps;
  readonly trees: readonly Hierarchy[];
  readonly custody: Custody;
  readonly init: boolean;
  readonly endpoints: readonly Endpoint[];
  /** The child's part of moving the machine's interfaces. */
  readonly devices: Pick<NetDeviceSteps, "forget" | "wait">;
  /** What it opens for itself because the program may not. */
  readonly openings: readonly Step[];
  /** A time namespace that it makes for itself because the program may not. */
  readonly clocks: readonly Step[];
  /** Whether only what a user namespace allows can be done. */
  readonly inUserNamespace: boolean;
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
  const { because, hooks, mounts, namespaces, spec } = parts;
  const ownUsers = namespaces.users !== "machine";
  const waits = parts.cgroupSteps.beside.length > 0;
  const plain = ownUsers && plainRoot(parts.rootfs, hooks);
  return [
    ...parts.custody.forget,
    ...parts.devices.forget,
    ...(hooks === undefined ? [] : forgetHookOutput(spec, hooks.bundle)),
    call("umask", [num(0)], "make files with just the modes asked for"),
    ...(plain ? waitForUsers() : ownUsers ? receiveRoot(parts.rootPlace) : []),
    ...openLabel(spec.process, readLabels(), because),
    ...(waits ? [] : enterCgroups(parts.cgroups, namespaces.has("cgroup"))),
    ...(ownUsers ? [] : oomScore(spec.process.oomScoreAdj, because)),
    ...(hooks === undefined ? joinNamespaces : joinCgroupNamespace)(namespaces, because),
    ...enterCopy(namespaces, because),
    ...parts.openings,
    ...(plain ? takeRoot(parts.rootPlace) : []),
    // Only the host's root finds the way to the bundle.
    ...(ownUsers && hooks !== undefined ? [detachPropagation(), ...keepHostView(hooks)] : []),
    ...(ownUsers ? becomeRoot(because) : mounts.filter(opensItself(parts)).flatMap(openSource)),
    ...parts.clocks,
    detachPropagation(),
    ...(hooks === undefined || ownUsers ? [] : keepHostView(hooks)),
    ...hostMounts(parts),
    ...(parts.inUserNamespace ? mounts.filter(needsHost).flatMap(makeFileSystem) : []),
    ...(ownUsers ? [] : rootSteps(parts)),
    // As late as can be: their files are the host's.
    ...awaitCgroups(parts.cgroupSteps),
    ...(waits ? enterCgroups(parts.cgroups, namespaces.has("cgroup")) : []),
    ...pivot(),
    ...(hooks === undefined ? insideOwn(parts) : insideBundle(parts, hooks)),
    ...workload(parts),
  ];
}

/**
 * What a container of the engine's sees, in the configuration's order. As long as there is nothing but the kernel's
 * file systems, paths are what they say; what the image and volumes have a part in is walked as in a bundle.
 */
function insideOwn(parts: ContainerParts): Step[] {
  const { mounts, trees } = parts;
  const { confinedEarly, others, own } = stagesOf(mounts);
  const rest = { mounts: others, trees, ownCgroups: true, made: () => false, devices: [] };
  return [
    ...own.flatMap((planned) => mountOwn(planned, parts)),
    ...(confinedEarly ? confine(parts, inKernel) : []),
    ...others.flatMap((planned) =>
      !isBind(planned) && isTop(planned.mount.destination)
        ? mountOwn(planned, parts)
        : mountOne(planned, rest),
    ),
    ...propagateRoot(parts.spec.linux?.rootfsPropagation),
    ...(confinedEarly ? [] : confine(parts, () => false)),
  ];
}

/** The same of a bundle, whose image and configuration nobody vouches for. */
function insideBundle(parts: ContainerParts, hooks: HookParts): Step[] {
  const { mounts, spec } = parts;
  // A hook may put anything anywhere.
  const none = { own: [], others: mounts, confinedEarly: false };
  const { confinedEarly, others, own } = spec.hooks === undefined ? stagesOf(mounts, isPlain) : none;
  return [
    ...own.flatMap((planned) => mountOwn(planned, parts)),
    ...(confinedEarly ? [...parts.devices.wait, ...confine(parts, inKernel)] : []),
    ...bundleFileSystems(parts, others),
    ...(confinedEarly ? [] : parts.devices.wait),
    ...containerHooks(hooks, destinationsOf(mounts)),
    ...propagateRoot(spec.linux?.rootfsPropagation),
    ...(confinedEarly ? [] : confine(parts, () => false)),
  ];
}

/** Names, network and parameters of its own namespaces, and what it must not see or change of the machine. */
function confine(parts: ContainerParts, untouched: (path: string) => boolean): Step[] {
  const { because, endpoints, namespaces, spec } = parts;
  const { maskedPaths = [], readonlyPaths: readonly = [], sysctl = {} } = spec.linux ?? {};
  return [
    ...names(parts),
    ...(endpoints.length > 0 ? childWires(endpoints) : namespaces.has("network") ? loopbackUp() : []),
    ...sysctls(sysctl, because),
    ...readonlyPaths({ paths: readonly, untouched }, because),
    ...maskPaths({ paths: maskedPaths, untouched }, parts.isDirectory, because),
  ];
}

/** The sources of idmapped mounts of a bundle have been opened by the keeper. */
const opensItself =
  ({ hooks }: ContainerParts) =>
  (planned: PlannedMount): boolean =>
    isBind(planned) && planned.inside === undefined && !(hooks !== undefined && planned.options.idmap);

function rootSteps({ because, hooks, rootfs, rootPlace }: ContainerParts): Step[] {
  if (hooks !== undefined && rootfs.kind === "directory")
    return mountBundleRoot(rootfs.path, rootPlace, because);
  return [...mountRoot(rootfs, rootPlace), standOnRoot(rootPlace)];
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

/** What a bundle mounts where paths have to be walked with care. */
function bundleFileSystems(
  { because, mounts: all, namespaces, inUserNamespace, spec, trees }: ContainerParts,
  mounts: readonly PlannedMount[],
): Step[] {
  const devices = devicesOf(spec.linux?.devices ?? []);
  // A /dev that is mounted earlier than these has them already.
  const filled = all.slice(0, all.length - mounts.length).some(({ mount }) => mount.destination === "/dev");
  const nodes = inUserNamespace ? attachNodes(devices) : makeNodes(devices, because);
  return mountAll({
    mounts,
    trees,
    ownCgroups: ownCgroups(namespaces),
    made: (planned) => inUserNamespace && needsHost(planned),
    devices: filled ? [] : [...nodes, ...makeLinks()],
  });
}

/** Whether the root of the cgroups that it sees is its own or another's that it joins, not the machine's. */
const ownCgroups = ({ has, joined }: Namespaces) =>
  has("cgroup") || joined.some(({ type }) => type === "cgroup");

/** Before the pivot: what a bundle's mounts need of the host's paths. */
function hostMounts({ cgroups, hooks, mounts, namespaces, rootPlace, trees }: ContainerParts): Step[] {
  if (hooks === undefined) return [];
  const shown = mounts.some(({ mount }) => mount.type === "cgroup") && !ownCgroups(namespaces);
  return [...mountFromHost(mounts, rootPlace), ...(shown ? openOwnCgroups(trees, cgroups) : [])];
}

/** A file system in the kernel's own trees, or one of them; devices as soon as there is a `/dev`. */
function mountOwn(planned: PlannedMount, parts: ContainerParts): Step[] {
  const { destination, type } = planned.mount;
  const shared = parts.hooks !== undefined && !ownCgroups(parts.namespaces);
  if (type === "cgroup" && shared) return cgroupTrees(planned, parts.trees, false);
  if (type === "cgroup") return mountCgroups(planned, parts.trees);
  if (parts.inUserNamespace && needsHost(planned)) return attachFileSystem(planned);
  if (destination !== "/dev") return mountFileSystem(planned);
  return [...mountFileSystem(planned), ...fillDev(parts)];
}

function fillDev({ because, inUserNamespace, spec }: ContainerParts): Step[] {
  const devices = devicesOf(spec.linux?.devices ?? []);
  const inside = devices.filter(({ path }) => IN_DEV.test(path));
  const elsewhere = devices.filter(({ path }) => !IN_DEV.test(path));
  return [
    ...(inUserNamespace ? attachHostDevices(inside) : makeDevices(inside, because)),
    ...(inUserNamespace ? attachNodes(elsewhere) : makeNodes(elsewhere, because)),
    ...makeDeviceLinks(),
  ];
}

const IN_DEV = /^\/dev\/(?!.*\.\.)/;

/** Of a namespace that it joins as well: the configuration asks for it by name (as with runc). */
function names({ because, namespaces, spec }: ContainerParts): Step[] {
  if (!namespaces.has("uts") && !namespaces.joined.some(({ type }) => type === "uts")) return [];
  const set = (name: "sethostname" | "setdomainname", text: string, reason: Reason) => {
    const bytes = new TextEncoder().encode(text).length;
    return call(name, [mem({ kind: "text", text }, text), num(bytes)], reason);
  };
  const { domainname = "", hostname = "" } = spec;
  return [
    ...(hostname === "" ? [] : [set("sethostname", hostname, because("hostname", "set the host name"))]),
    ...(domainname === "" ? [] : [set("setdomainname", domainname, because("domainname", "set the domain"))]),
  ];
}

/** What the workload may, for those beside it: what it hands to a listener is not there for a hook or an init. */
function lesserPrivileges({ arch, because, inUserNamespace, spec }: ContainerParts): Step[] {
  const { linux: { seccomp } = {}, process } = spec;
  return dropPrivileges(process, unheard(seccomp), arch, inUserNamespace, because);
}

/** The process itself: where it stands, what it holds, what it may, and its program. */
function workload(parts: ContainerParts): Step[] {
  const { because, custody, init, spec } = parts;
  const { process } = spec;
  const { dies } = custody;
  // Without a bundle there is nobody to tell of a listener.
  const seccomp = parts.hooks === undefined ? unheard(spec.linux?.seccomp) : spec.linux?.seccomp;
  const privileges = dropPrivileges(process, seccomp, parts.arch, parts.inUserNamespace, because, dies);
  // Whoever creates a container passes its listener on, and is gone when it starts.
  const listens = seccomp !== undefined && notifies(seccomp) && !dies;
  if (listens && custody.waits && (spec.hooks?.startContainer ?? []).length > 0)
    throw new Error(
      "Cannot launch: startContainer hooks and a seccomp listener do not go together in a container that waits for its start",
    );
  const steps = [
    // Who waits has its session already.
    ...(dies ? ownSession(process.terminal === true) : []),
    ...custody.closing,
    ...writeLabel(process, readLabels(), because),
    ...privileges,
    ...(listens ? custody.wait : []),
    ...execute(process),
  ];
  return [
    ...custody.streams(process, true),
    ...standIn(process.cwd, because),
    ...makeReadonly(parts.mounts),
    ...(spec.root?.readonly === true ? [readonlyRoot(because)] : []),
    ...leaveCopy(parts.namespaces, because),
    // Where it stood was a place in the copy.
    ...(parts.namespaces.mounts === "own" ? [] : standInside(process.cwd, because)),
    call("umask", [num(process.user.umask ?? 0o022, "0022")], "make files as others do"),
    ...resourceLimits(process.rlimits ?? [], because),
    ...(dies ? [] : anyProcessor()),
    ...processAttributes(process, spec.linux ?? {}, because),
    ...(listens ? [] : custody.wait),
    ...(parts.hooks === undefined ? [] : startHooks(parts.hooks, lesserPrivileges(parts))),
    ...(init ? underInit(steps, lesserPrivileges(parts)) : steps),
  ];
}
