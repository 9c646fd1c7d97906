import { isInterfaceName } from "../interface.ts";
import type { Linux, NamespaceType } from "./linux.ts";
import { wrong } from "./read.ts";
import type { IdMapping, Mount, Process, RuntimeSpec } from "./spec.ts";

/**
 * What each field allows but all of them together do not: the MUSTs of config.md and config-linux.md.
 * @throws Refusal that names the field
 */
export function contradictions(spec: RuntimeSpec): void {
  const { linux = {}, mounts = [], process } = spec;
  if (spec.root === undefined) throw wrong("root", "it is missing: a container needs a root file system");
  const seen = new Set<NamespaceType>();
  for (const [index, { type }] of (linux.namespaces ?? []).entries()) {
    if (seen.has(type))
      throw wrong(`linux.namespaces[${index}]`, `there are two of type ${type}: leave one out`);
    seen.add(type);
  }
  const made = (type: NamespaceType) =>
    linux.namespaces?.some((each) => each.type === type && each.path === undefined) === true;
  for (const field of ["hostname", "domainname"] as const)
    if (spec[field] && !seen.has("uts"))
      throw wrong(field, "it would be the machine's: add a namespace of type uts");
  users(linux.uidMappings ?? [], linux.gidMappings ?? [], made("user"), seen.has("user"));
  if (linux.timeOffsets !== undefined && !made("time"))
    throw wrong(
      "linux.timeOffsets",
      "only new clocks can be set: add a namespace of type time without a path",
    );
  if (linux.mountLabel?.includes('"')) throw wrong("linux.mountLabel", "a label has no quotes");
  netDevices(linux.netDevices ?? {}, seen.has("network"));
  for (const name of Object.keys(linux.sysctl ?? {})) sysctl(name, seen);
  for (const [index, mount] of mounts.entries()) mountIds(mount, `mounts[${index}]`, seen.has("user"));
  if (!made("mount")) mountsOfOthers(linux, made("user"));
  if (process === undefined) throw wrong("process", "it is missing: there is nothing to start");
  checkProcess(process);
}

/** In a mount namespace that is not the container's. */
function mountsOfOthers({ rootfsPropagation }: Linux, ownUsers: boolean): void {
  if (ownUsers)
    throw wrong(
      "linux.namespaces",
      "users of its own have no right to a mount namespace of others: add one of type mount, without a path",
    );
  if (rootfsPropagation?.endsWith("unbindable"))
    throw wrong(
      "linux.rootfsPropagation",
      "the root of a container without a mount namespace of its own has to be bound: leave it out",
    );
}

/** Whether there are such names, each once in the container. */
function netDevices(devices: Readonly<Record<string, { readonly name?: string }>>, any: boolean): void {
  const inside = new Set<string>();
  for (const [name, device] of Object.entries(devices)) {
    const at = `linux.netDevices.${name.slice(0, 40)}`;
    // The words that callers of runc know.
    if (!any)
      throw wrong(
        at,
        "unable to move network devices without a NET namespace: add a namespace of type network",
      );
    const wanted = device.name ?? name;
    for (const each of [name, wanted])
      if (!isInterfaceName(each))
        throw wrong(
          at,
          `${each.slice(0, 40)} is no name of an interface: give 1 to 15 bytes without / : and blanks`,
        );
    if (name === "lo" || wanted === "lo")
      throw wrong(at, "every network namespace has a loopback of its own");
    if (/%/.test(wanted.replace("%d", "")) || /%/.test(name))
      throw wrong(at, `${wanted} is no name of an interface: only one %d stands for a number`);
    if (inside.has(wanted) && !wanted.includes("%d"))
      throw wrong(at, `two interfaces would be called ${wanted} in the container`);
    inside.add(wanted);
  }
}

/** Which namespace a kernel parameter belongs to (namespaces(7) and the pages it names). */
const SYSCTLS: readonly (readonly [RegExp, NamespaceType])[] = [
  [/^net\./, "network"],
  [/^kernel\.(msg(max|mnb|mni)|sem|shm(all|max|mni)|shm_rmid_forced)$|^fs\.mqueue\./, "ipc"],
  [/^kernel\.(hostname|domainname)$/, "uts"],
  [/^kernel\.ns_last_pid$/, "pid"],
  [/^user\./, "user"],
];

const dottedName = (name: string) => (name.includes("/") ? name.replaceAll("/", ".") : name);

/** The kind of namespace that a kernel parameter belongs to; undefined for those of the whole machine. */
export const namespaceOfSysctl = (name: string): NamespaceType | undefined =>
  SYSCTLS.find(([pattern]) => pattern.test(dottedName(name)))?.[1];

function sysctl(name: string, namespaces: ReadonlySet<NamespaceType>): void {
  const at = `linux.sysctl.${name}`;
  if (/\.\.|^\.|\.$/.test(dottedName(name))) throw wrong(at, "it is no name of a kernel parameter");
  const type = namespaceOfSysctl(name);
  if (type === undefined)
    throw wrong(at, "it belongs to the whole machine, not to a namespace: set it outside of the container");
  if (!namespaces.has(type)) throw wrong(at, `it would be the machine's: add a namespace of type ${type}`);
}

function users(uids: readonly IdMapping[], gids: readonly IdMapping[], made: boolean, any: boolean): void {
  for (const [field, mappings] of [
    ["linux.uidMappings", uids],
    ["linux.gidMappings", gids],
  ] as const) {
    if (mappings.length > 0 && !any)
      throw wrong(field, "it maps the users of a user namespace: add a namespace of type user");
    if (mappings.length === 0 && made)
      throw wrong(field, "a new user namespace needs it: say which users of the host the container's are");
    ranges(mappings, field);
    if (made && !mappings.some(({ containerID }) => containerID === 0))
      throw wrong(field, "the container's root (0) must be in one of the ranges");
  }
}

/** The kernel takes 340 lines, and no number twice on either side (user_namespaces(7)). */
function ranges(mappings: readonly IdMapping[], field: string): void {
  if (mappings.length > 340) throw wrong(field, "it has more than the 340 ranges that the kernel takes");
  for (const side of ["containerID", "hostID"] as const) {
    const sorted = [...mappings].sort((a, b) => a[side] - b[side]);
    for (const [index, each] of sorted.entries()) {
      const before = sorted[index - 1];
      if (before !== undefined && before[side] + before.size > each[side])
        throw wrong(field, `the ranges of ${side} from ${before[side]} and ${each[side]} overlap`);
      if (each[side] + each.size > 2 ** 32)
        throw wrong(field, `the range of ${side} from ${each[side]} goes beyond the last number, 4294967294`);
    }
  }
}

function mountIds(mount: Mount, at: string, anyUsers: boolean): void {
  const { gidMappings = [], options = [], uidMappings = [] } = mount;
  if (uidMappings.length > 0 !== gidMappings.length > 0)
    throw wrong(
      `${at}.${uidMappings.length > 0 ? "gidMappings" : "uidMappings"}`,
      "it is missing: uidMappings and gidMappings come together",
    );
  ranges(uidMappings, `${at}.uidMappings`);
  ranges(gidMappings, `${at}.gidMappings`);
  const mapped = options.some((word) => word === "idmap" || word === "ridmap");
  if (mapped && uidMappings.length === 0 && !anyUsers)
    throw wrong(
      `${at}.options`,
      "idmap needs uidMappings and gidMappings of the mount, or a user namespace of the container",
    );
  const bind = mount.type === "bind" || options.some((word) => word === "bind" || word === "rbind");
  if ((mapped || uidMappings.length > 0) && !bind)
    throw wrong(mapped ? `${at}.options` : `${at}.uidMappings`, "only a bind mount can show other owners");
}

function checkProcess(process: Process): void {
  if (process.args === undefined || process.args.length === 0 || process.args[0] === "")
    throw wrong("process.args", "it must name the program to run");
  const types = new Set<string>();
  for (const [index, { hard, soft, type }] of (process.rlimits ?? []).entries()) {
    const at = `process.rlimits[${index}]`;
    if (types.has(type)) throw wrong(at, `there are two limits ${type}: leave one out`);
    types.add(type);
    if (soft > hard)
      throw wrong(`${at}.soft`, `it cannot be above the hard limit (${hard}): lower it, or raise that`);
  }
  const { scheduler } = process;
  if (scheduler === undefined) return;
  const deadline = [scheduler.runtime, scheduler.deadline, scheduler.period].some(Boolean);
  if (deadline && scheduler.policy !== "SCHED_DEADLINE")
    throw wrong("process.scheduler", "runtime, deadline and period are for the policy SCHED_DEADLINE only");
  const realTime = scheduler.policy === "SCHED_FIFO" || scheduler.policy === "SCHED_RR";
  if (realTime && !(scheduler.priority !== undefined && scheduler.priority >= 1 && scheduler.priority <= 99))
    throw wrong("process.scheduler.priority", `${scheduler.policy} needs a priority from 1 to 99`);
  if (!realTime && scheduler.priority)
    throw wrong("process.scheduler.priority", "it is for the policies SCHED_FIFO and SCHED_RR only");
}
