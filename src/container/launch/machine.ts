import { existsSync, statSync } from "node:fs";
import { release } from "node:os";
import { CAPABILITIES, capabilityName, readLastCapability } from "../../kernel/capabilities.ts";
import { rlimitName } from "../../kernel/rlimits.ts";
import { namespaceOfSysctl } from "../../oci/runtime/contradictions.ts";
import type { NamespaceType } from "../../oci/runtime/linux.ts";
import { wrong } from "../../oci/runtime/read.ts";
import type { Process, RuntimeSpec } from "../../oci/runtime/spec.ts";
import { type Labels, readLabels } from "./attributes.ts";

/** Whether this machine can do what a configuration asks for: what it cannot is refused by its name, never left out. */

const FILE: Record<NamespaceType, string> = {
  pid: "pid",
  network: "net",
  mount: "mnt",
  ipc: "ipc",
  uts: "uts",
  user: "user",
  cgroup: "cgroup",
  time: "time",
};

/** The kinds of namespaces that this kernel was built with. */
export const namespacesHere = (): readonly NamespaceType[] =>
  (Object.keys(FILE) as NamespaceType[]).filter((type) => existsSync(`/proc/self/ns/${FILE[type]}`));

/** Whether the kernel is at least that version. */
export function kernelIs(major: number, minor: number, version: string = release()): boolean {
  const [own = 0, below = 0] = version.split(/[.-]/).map(Number);
  return own > major || (own === major && below >= minor);
}

/** The first Linux with each flag of seccomp(2). */
const FLAG_SINCE: Readonly<Record<string, readonly [number, number]>> = {
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: [5, 19],
};

/** Whether this kernel has a flag of seccomp(2). */
export const seccompFlagHere = (flag: string): boolean => {
  const [major, minor] = FLAG_SINCE[flag] ?? [0, 0];
  return kernelIs(major, minor);
};

/**
 * Refuse what cannot be here.
 * @returns warnings about what may be left out: capabilities that the kernel has not (config.md, "Linux Process")
 * @throws Refusal that names the field and says what to do
 */
export function refuseImpossible(spec: RuntimeSpec, labels: Labels = readLabels()): readonly string[] {
  const { linux = {}, process } = spec;
  const present = new Set(namespacesHere());
  for (const [index, { type }] of (linux.namespaces ?? []).entries())
    if (!present.has(type))
      throw wrong(
        `linux.namespaces[${index}]`,
        `this kernel was built without ${type} namespaces: leave it out`,
      );
  refuseOfMachine(spec);
  if (linux.intelRdt !== undefined)
    throw wrong("linux.intelRdt", "classes of cache and memory bandwidth are not supported: leave it out");
  if ((linux.personality?.flags ?? []).length > 0)
    throw wrong("linux.personality.flags", "the specification defines none: leave the list empty");
  if (linux.mountLabel && !labels.selinux)
    throw wrong("linux.mountLabel", "this machine has no SELinux: leave it out, or enable it");
  for (const [index, flag] of (linux.seccomp?.flags ?? []).entries())
    if (!seccompFlagHere(flag))
      throw wrong(
        `linux.seccomp.flags[${index}]`,
        `${flag} needs Linux ${FLAG_SINCE[flag]?.join(".")}: leave it out`,
      );
  const ownMounts = linux.namespaces?.some(({ path, type }) => type === "mount" && path === undefined);
  const warnings = ownMounts
    ? []
    : [
        "linux.namespaces: without a mount namespace of its own no set-user-ID bit and no file capability has effect in the container",
      ];
  return process === undefined ? warnings : [...warnings, ...refuseInProcess(process, labels)];
}

/** A namespace that is joined may turn out to be the machine's: what would be changed in it is not the container's. */
function refuseOfMachine({ domainname, hostname, linux = {} }: RuntimeSpec): void {
  const machines = new Set(
    (linux.namespaces ?? []).flatMap(({ path, type }) =>
      path !== undefined && isSame(path, `/proc/self/ns/${FILE[type]}`) ? [type] : [],
    ),
  );
  const fields: readonly (readonly [string, NamespaceType | undefined])[] = [
    ...Object.keys(linux.sysctl ?? {}).map(
      (name) => [`linux.sysctl.${name}`, namespaceOfSysctl(name)] as const,
    ),
    ...(hostname ? [["hostname", "uts"] as const] : []),
    ...(domainname ? [["domainname", "uts"] as const] : []),
  ];
  for (const [field, type] of fields)
    if (type !== undefined && machines.has(type))
      throw wrong(field, `it would be the machine's: the ${type} namespace that the container joins is that`);
}

function isSame(path: string, other: string): boolean {
  const [one, two] = [path, other].map((each) => {
    try {
      return statSync(each);
    } catch {
      // Joining it will say what is wrong with it.
      return undefined;
    }
  });
  return one !== undefined && one.ino === two?.ino && one.dev === two.dev;
}

/** The same for a process alone, as exec has it. */
export function refuseInProcess(process: Process, labels: Labels = readLabels()): readonly string[] {
  if (process.selinuxLabel && !labels.selinux)
    throw wrong("process.selinuxLabel", "this machine has no SELinux: leave it out, or enable it");
  if (process.apparmorProfile && process.apparmorProfile !== "unconfined" && !labels.apparmor)
    throw wrong("process.apparmorProfile", "this machine has no AppArmor: leave it out, or enable it");
  for (const [index, { type }] of (process.rlimits ?? []).entries())
    if (rlimitName(type) === undefined || !type.startsWith("RLIMIT_"))
      throw wrong(`process.rlimits[${index}].type`, `the kernel has no limit ${type.slice(0, 40)}`);
  return [...unknownCapabilities(process), ...uselessAmbient(process)];
}

/** capabilities(7): an ambient one must be permitted and inheritable, and leaves the set with either. */
function uselessAmbient({ capabilities: { ambient = [], inheritable = [], permitted = [] } = {} }: Process) {
  return ambient.filter(isKnown).flatMap((name) => {
    const lacks = [...(permitted.includes(name) ? [] : ["permitted"])];
    if (!inheritable.includes(name)) lacks.push("inheritable");
    if (lacks.length === 0) return [];
    return [`can't raise ambient capability ${name.slice(0, 60)}: it is not ${lacks.join(" and not ")}`];
  });
}

function isKnown(name: string): boolean {
  const known = capabilityName(name);
  return known !== undefined && name === known && CAPABILITIES[known] <= readLastCapability();
}

function unknownCapabilities({ capabilities = {} }: Process): readonly string[] {
  return Object.entries(capabilities).flatMap(([set, names]) =>
    ((names ?? []) as readonly string[]).flatMap((name) => {
      if (isKnown(name)) return [];
      return [`process.capabilities.${set}: this kernel has no ${name.slice(0, 60)}; it is ignored`];
    }),
  );
}
