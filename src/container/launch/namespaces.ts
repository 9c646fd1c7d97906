import { CLONE, flags } from "../../kernel/flags.ts";
import type { Rights } from "../../kernel/rights.ts";
import type { Linux, Namespace, NamespaceType, TimeOffset } from "../../oci/runtime/linux.ts";
import type { IdMapping } from "../../oci/runtime/spec.ts";
import { call, close, from, mem, num, space } from "../../plan/build.ts";
import type { Call, Reason, Slot, Step } from "../../plan/step.ts";
import { HERE, open, openFlags, writeFile } from "./files.ts";
import type { Because } from "./reasons.ts";

const FLAG: Record<NamespaceType, keyof typeof CLONE> = {
  pid: "NEWPID",
  network: "NEWNET",
  mount: "NEWNS",
  ipc: "NEWIPC",
  uts: "NEWUTS",
  user: "NEWUSER",
  cgroup: "NEWCGROUP",
  time: "NEWTIME",
};

/** Namespaces sorted by how a process gets into them. */
export interface Namespaces {
  /** Made by `clone3`. The cgroup namespace is not among them: it must be made inside the cgroup. */
  readonly clone: { readonly value: number; readonly text: string };
  readonly has: (type: NamespaceType) => boolean;
  /** Whose users the container has: the machine's, its own, or those of a namespace that it joins. */
  readonly users: "machine" | "made" | "joined";
  /** Whether the process ends up in a mount namespace of its own, or in the machine's or another's (elsewhere.ts). */
  readonly mounts: "own" | "others";
  /** To be joined by path. */
  readonly joined: readonly (Namespace & { readonly path: string })[];
}

/** Read `linux.namespaces`. */
export function namespaces(list: readonly Namespace[]): Namespaces {
  const made = list.filter((each) => each.path === undefined).map((each) => each.type);
  const joined = list.flatMap((each) => (each.path === undefined ? [] : [{ ...each, path: each.path }]));
  // Time is unshared by the keeper, so that the offsets are set before the first process is in.
  const byClone = made.filter((type) => type !== "cgroup" && type !== "time");
  return {
    clone: flags("CLONE", CLONE, ...byClone.map((type) => FLAG[type])),
    has: (type) => made.includes(type),
    users: made.includes("user") ? "made" : joined.some(({ type }) => type === "user") ? "joined" : "machine",
    mounts: made.includes("mount") ? "own" : "others",
    joined,
  };
}

/** In the keeper: its children will be in that pid namespace; it stays where it is (setns(2)). */
export function joinPidNamespace({ joined }: Namespaces, because: Because): Step[] {
  return joined.filter(({ type }) => type === "pid").flatMap((each) => join(each, because));
}

/** In the child: everything else there is to join. */
export function joinNamespaces({ joined }: Namespaces, because: Because): Step[] {
  const others = joined.filter(({ type }) => type !== "pid" && type !== "mount");
  return [
    ...others.map(({ type, path }) => openNamespace(type, path, because)),
    ...others.flatMap(({ type }) => setns(type, because)),
  ];
}

/**
 * For a helper that makes the child where it is itself (`Clone.via`): every namespace that is joined, that of the users
 * last, since the right to enter the others is the machine's root's, and new ones must belong to it. The cgroup
 * namespace is left for the child where it can be, which must be in its cgroup first; the mount namespace always.
 */
export function enterNamespaces(
  namespaces: Namespaces,
  linux: Linux,
  because: Because,
  rights: Rights,
): Step[] {
  const { joined, users } = namespaces;
  const others = joined.filter(({ type }) => type !== "user" && !joinsLater(namespaces, type));
  return [
    ...others.flatMap((each) => join(each, because)),
    ...(namespaces.has("time") && rights !== "user" ? timeNamespace(linux, because) : []),
    ...(users === "joined"
      ? joined.filter(({ type }) => type === "user").flatMap((each) => join(each, because))
      : []),
  ];
}

/** In such a child: the cgroup namespace, from inside of its cgroup. */
export function joinCgroupNamespace(namespaces: Namespaces, because: Because): Step[] {
  return namespaces.joined
    .filter(({ type }) => type === "cgroup" && joinsLater(namespaces, type))
    .flatMap((each) => join(each, because));
}

const joinsLater = ({ users }: Namespaces, type: NamespaceType): boolean =>
  type === "mount" || (type === "cgroup" && users === "machine");

function join({ type, path }: { type: NamespaceType; path: string }, because: Because): Step[] {
  return [openNamespace(type, path, because), ...setns(type, because)];
}

const slotOf = (type: NamespaceType) => `namespace-${type}`;

const joining = (type: NamespaceType, because: Because) =>
  because(`linux.namespaces.${type}`, `join the ${type} namespace`);

function openNamespace(type: NamespaceType, path: string, because: Because): Step {
  return open(path, slotOf(type), joining(type, because), ["RDONLY"]);
}

function setns(type: NamespaceType, because: Because): Step[] {
  return [
    call(
      "setns",
      [from(slotOf(type)), num(CLONE[FLAG[type]], `CLONE_${FLAG[type]}`)],
      joining(type, because),
    ),
    close(slotOf(type), "close it"),
  ];
}

/** In the keeper: a time namespace for its child. The offsets can only be set while it is empty (time_namespaces(7)). */
export function timeNamespace(linux: Linux, because: Because): Step[] {
  const line = (clock: string, offset: TimeOffset | undefined) =>
    offset === undefined ? "" : `${clock} ${offset.secs ?? 0} ${offset.nanosecs ?? 0}\n`;
  const { monotonic, boottime } = linux.timeOffsets ?? {};
  const text = line("monotonic", monotonic) + line("boottime", boottime);
  const reason = because("linux.timeOffsets", "give the container its own clocks");
  return [
    call("unshare", [num(CLONE.NEWTIME, "CLONE_NEWTIME")], reason),
    ...(text === "" ? [] : [writeFile("/proc/self/timens_offsets", text, reason)]),
  ];
}

/** In the child of a user without privileges, who may make one as root of its own users only: the same for itself. */
export function ownTimeNamespace(
  namespaces: Namespaces,
  linux: Linux,
  because: Because,
  rights: Rights,
): Step[] {
  if (rights !== "user" || !namespaces.has("time")) return [];
  const reason = because("linux.timeOffsets", "give the container its own clocks");
  const flag = num(CLONE.NEWTIME, "CLONE_NEWTIME");
  return [
    ...timeNamespace(linux, because),
    open("/proc/self/ns/time_for_children", "own-time", reason, ["RDONLY"]),
    call("setns", [from("own-time"), flag], reason),
    close("own-time", "close it"),
  ];
}

/** In the keeper: say which users of the host the container's are (user_namespaces(7)). */
export function writeIdMaps(linux: Linux, because: Because): Step[] {
  const reason = because("linux.uidMappings", "map the container's users to users of the host");
  return [
    ...writeOfChild("uid_map", mapText(linux.uidMappings ?? []), reason),
    ...writeOfChild("gid_map", mapText(linux.gidMappings ?? []), reason),
  ];
}

/** Without it a user may map no group: it could leave one that is denied something. */
export function denyGroups(because: Because): Step[] {
  return writeOfChild("setgroups", "deny", because("linux.gidMappings", "give up setting groups"));
}

/** Mappings as the kernel reads them (user_namespaces(7)). */
export const mapText = (mappings: readonly IdMapping[]): string =>
  mappings.map((each) => `${each.containerID} ${each.hostID} ${each.size}\n`).join("");

/** Which id of the host one of the container's is; undefined where it is none. */
export function hostId(mappings: readonly IdMapping[], id: number): number | undefined {
  const range = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return range === undefined ? undefined : range.hostID + id - range.containerID;
}

/** Open `/proc/<child>/<file>` (close-on-exec) into `slot`. */
export function openOfChild(
  file: string,
  slot: Slot,
  how: "RDONLY" | "WRONLY",
  reason: Reason,
  tolerate?: Call["tolerate"],
): Step[] {
  const path = space(64, `path-${file}`);
  return [
    { kind: "decimal", slot: "child", into: path, prefix: "/proc/", suffix: `/${file}`, ...reason },
    call("openat", [HERE, mem(path, `/proc/CHILD/${file}`), openFlags(how, "CLOEXEC"), num(0)], reason, {
      result: slot,
      ...(tolerate === undefined ? {} : { tolerate }),
    }),
  ];
}

/** Write `text` to `/proc/<child>/<file>`. */
export function writeOfChild(file: string, text: string, reason: Reason): Step[] {
  return [
    ...openOfChild(file, "file", "WRONLY", reason),
    call("write", [from("file"), mem({ kind: "text", text }), num(text.length)], reason),
    close("file", "close it"),
  ];
}
