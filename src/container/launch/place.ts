import { basename, dirname } from "node:path";
import { AT, flags, MOVE_MOUNT, O, OPEN_TREE, S } from "../../kernel/flags.ts";
import { call, close, from, mem, num, space, str, struct, u64 } from "../../plan/build.ts";
import type { Arg, Attempt, Call, Reason, Slot, Step } from "../../plan/step.ts";
import { HERE, openFlags } from "./files.ts";
import type { Because } from "./reasons.ts";

/**
 * Paths in a container's root. The image is hostile: its links may lead through `/proc/<pid>/root` to the machine, or
 * into `/proc`, where a mount would hide what the container's safety rests on; and in a volume another container may
 * swap directories for links meanwhile. So every directory on the way is opened by openat2(2) as in a root of its own
 * without magic links, and a mount goes onto what was opened and looked at.
 */

/** openat2(2): nothing of the way is outside, no link of procfs is followed. */
const IN_ROOT = 0x10;
const NO_MAGICLINKS = 0x02;
const RESOLVE = "RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS";
/** linux/magic.h */
const PROC_SUPER_MAGIC = 0x9fa0;

const STATFS = space(120, "place-statfs");

const PARENT: Slot = "place-parent";

/**
 * Open a path of the container into `slot`, to hold on to it unless `how` says more; one that ends in "/." must be a
 * directory. The current directory is the container's root.
 */
export function openInside(
  path: string,
  slot: Slot,
  reason: Reason,
  how: readonly (keyof typeof O)[] = ["PATH"],
): Call {
  const inside = `${relative(path).join("/")}${path.endsWith("/.") ? "/." : ""}`;
  const { text, value } = flags("O", O, ...how, "CLOEXEC");
  const open = struct([u64(value, 0, IN_ROOT | NO_MAGICLINKS)], `open-inside.${value}`);
  const args = [HERE, str(inside === "" ? "." : inside), mem(open, `${text}, ${RESOLVE}`), num(24)];
  return call("openat2", args, reason, { result: slot, retry: true });
}

const relative = (path: string) => path.split("/").filter((part) => part !== "" && part !== ".");

/** Make what is missing of a path, in the directory that the way to it leads to. */
export function makeInside(path: string, kind: "directory" | "file", reason: Reason): Step[] {
  const parts = relative(path);
  return parts.flatMap((name, index) => {
    const directory = kind === "directory" || index < parts.length - 1;
    const make = (at: Arg): Step[] =>
      directory
        ? [call("mkdirat", [at, str(name), num(0o755, "0755")], reason, { tolerate: ["EEXIST"] })]
        : makeFile(at, name, reason);
    if (index === 0) return make(HERE);
    return [
      openInside(parts.slice(0, index).join("/"), PARENT, reason),
      ...make(from(PARENT)),
      close(PARENT, "close it"),
    ];
  });
}

/** An empty file, unless something of the name is there. */
function makeFile(at: Arg, name: string, reason: Reason): Step[] {
  return [
    {
      kind: "attempt",
      tolerate: ["EEXIST"],
      ...reason,
      steps: [
        call(
          "openat",
          [at, str(name), openFlags("WRONLY", "CREAT", "EXCL", "CLOEXEC"), num(0o644, "0644")],
          reason,
          { result: "file" },
        ),
        close("file", "close it"),
      ],
    },
  ];
}

/** Files of `/proc` over which runtimes let mounts go, as lxcfs makes them (runc, "checkProcMount"). */
const OVER_PROC = new Set([
  "/proc/cpuinfo",
  "/proc/diskstats",
  "/proc/meminfo",
  "/proc/stat",
  "/proc/swaps",
  "/proc/uptime",
  "/proc/loadavg",
  "/proc/slabinfo",
  "/proc/net/dev",
  "/proc/sys/kernel/ns_last_pid",
  "/proc/sys/crypto/fips_enabled",
]);

/** Whether a mount may go to a place in `/proc`: its own file system, and a few files. */
export const mayCoverProc = (destination: string): boolean =>
  destination === "/proc" || !destination.startsWith("/proc/") || OVER_PROC.has(destination);

/** Open the place of a mount, which must not turn out to be in `/proc` where the configuration does not say so. */
export function openPlace(destination: string, slot: Slot, reason: Reason): Step[] {
  const checked = destination !== "/proc" && !OVER_PROC.has(destination);
  return [
    openInside(destination, slot, reason),
    ...(checked
      ? inProc(slot, "ne", {
          ...reason,
          hint: "a link of the image leads into /proc, where nothing may be mounted",
        })
      : []),
  ];
}

/** Fail unless what is open is (`eq`), or is not, in a procfs. */
export function inProc(slot: Slot, is: "eq" | "ne", reason: Reason): Step[] {
  return [
    call("fstatfs", [from(slot), mem(STATFS)], reason),
    {
      kind: "expect",
      from: STATFS,
      offset: 0,
      size: 8,
      is,
      value: PROC_SUPER_MAGIC,
      errno: "EXDEV",
      ...reason,
    },
  ];
}

/** A copy of the mount that is open, attached nowhere yet; `recursive` with all below it. */
export function copyOf(opened: Slot, tree: Slot, reason: Reason, recursive = false): Call {
  const how = OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.EMPTY_PATH | (recursive ? AT.RECURSIVE : 0);
  const text = `OPEN_TREE_CLONE|AT_EMPTY_PATH${recursive ? "|AT_RECURSIVE" : ""}`;
  return call("open_tree", [from(opened), str(""), num(how, text)], reason, { result: tree });
}

/** Attach a tree to an opened place, and let go of that. */
export function attachAt(tree: Slot, place: Slot, reason: Reason): Step[] {
  const how = flags("MOVE_MOUNT", MOVE_MOUNT, "F_EMPTY_PATH", "T_EMPTY_PATH");
  return [
    call("move_mount", [from(tree), str(""), from(place), str(""), num(how.value, how.text)], reason),
    close(place, "close it"),
  ];
}

/** Make the place if it is missing, attach the tree, let go of it unless a directory's is to be kept. */
export function attachInside(
  tree: Slot,
  destination: string,
  kind: "directory" | "file",
  reason: Reason,
  keeps = false,
): Step[] {
  const attach = attachOpened(tree, destination, reason, keeps);
  const make = makeInside(destination, kind, reason);
  // A link that leads to nothing, as /etc/resolv.conf often is, is itself the place of a file.
  const again: readonly Step[] =
    kind === "directory" ? attach : [missing(attach, attachToName(tree, destination, reason), reason)];
  // Mostly it is there: an image is started more than once.
  return [missing(attach, [...make, ...again], reason)];
}

const missing = (steps: readonly Step[], otherwise: readonly Step[], reason: Reason): Attempt => ({
  kind: "attempt",
  tolerate: ["ENOENT"],
  steps,
  otherwise,
  ...reason,
});

function attachOpened(tree: Slot, destination: string, reason: Reason, keeps: boolean): Step[] {
  const place: Slot = "place";
  return [
    ...openPlace(destination, place, reason),
    ...attachAt(tree, place, reason),
    ...(keeps ? [] : [close(tree, "close it")]),
  ];
}

/** On what has the name, even if it is a link. */
function attachToName(tree: Slot, destination: string, reason: Reason): Step[] {
  const name = basename(destination);
  return [
    openInside(dirname(destination), PARENT, reason),
    call(
      "move_mount",
      [from(tree), str(""), from(PARENT), str(name), num(4, "MOVE_MOUNT_F_EMPTY_PATH")],
      reason,
    ),
    close(PARENT, "close it"),
    close(tree, "close it"),
  ];
}

/** Stand in a directory of the container, which is made where it is missing. */
export function standIn(path: string, because: Because): Step[] {
  const stand = standInside(path, because);
  if (stand.length < 2) return stand;
  const reason = because("process.cwd", "make the working directory");
  return [missing(stand, [...makeInside(path, "directory", reason), ...stand], reason)];
}

/** Stand in one that is there: no link of procfs leads to it, to a directory of the host for one. */
export function standInside(path: string, because: Because): Step[] {
  const reason = because("process.cwd", "stand in the working directory");
  if (relative(path).length === 0) return [call("chdir", [str("/")], reason)];
  const slot: Slot = "working-directory";
  return [openInside(path, slot, reason), call("fchdir", [from(slot)], reason), close(slot, "close it")];
}

const STATX = space(256, "place-statx");
const STATX_TYPE = 1;
const STATX_MODE = 2;
/** struct statx (linux/stat.h): where the mode and the device numbers are. */
const MODE = 28;
const MAJOR = 128;
const MINOR = 132;

/** Give a file system that is attached nowhere yet the mode of the directory that it will cover, if there is one. */
export function takeMode(tree: Slot, destination: string, reason: Reason): Step {
  const covered: Slot = "covered";
  return {
    kind: "attempt",
    tolerate: ["ENOENT"],
    ...reason,
    steps: [
      openInside(destination, covered, reason),
      call(
        "statx",
        [
          from(covered),
          str(""),
          num(AT.EMPTY_PATH, "AT_EMPTY_PATH"),
          num(STATX_MODE, "STATX_MODE"),
          mem(STATX),
        ],
        reason,
      ),
      // Two bytes of mode and two that are zero; chmod(2) takes no notice of the type.
      { kind: "load", from: STATX, offset: MODE, size: 4, into: "covered-mode", ...reason },
      call("fchmodat", [from(tree), str("."), from("covered-mode")], reason, { tolerate: ["EROFS"] }),
      close(covered, "close it"),
    ],
  };
}

/** Open the container's null device to cover files with; anything else that is in its place would tell what it hides. */
export function openNull(slot: Slot, reason: Reason): Step[] {
  const hint = "/dev of this container has no null device to hide files with: leave /dev to the engine";
  const because = { ...reason, hint };
  return [openInside("/dev/null", slot, because), ...expectKind(slot, "", ["c", 1, 3], because)];
}

/** Fail unless a name in a directory, not followed, is that device: a file of the image would be used for it. */
export function expectDevice(
  directory: Slot,
  path: string,
  type: "c" | "u" | "b" | "p",
  major: number,
  minor: number,
  reason: Reason,
): Step[] {
  const hint = `the image has something else at ${path}, not the device: remove it, or mount a tmpfs on /dev`;
  return expectKind(directory, basename(path), [type, major, minor], { ...reason, hint });
}

/** The same for a name in a directory, or, with "", for what is open. */
function expectKind(
  opened: Slot,
  name: string,
  [type, major, minor]: readonly ["c" | "u" | "b" | "p", number, number],
  reason: Reason,
): Step[] {
  const expect = (offset: number, size: 2 | 4, value: number, per = 1): Step => ({
    kind: "expect",
    from: STATX,
    offset,
    size,
    per,
    is: "eq",
    value,
    errno: "EEXIST",
    ...reason,
  });
  const format = { c: S.IFCHR, u: S.IFCHR, b: S.IFBLK, p: S.IFIFO }[type];
  return [
    call(
      "statx",
      [
        from(opened),
        str(name),
        num(AT.SYMLINK_NOFOLLOW | AT.EMPTY_PATH, "AT_SYMLINK_NOFOLLOW|AT_EMPTY_PATH"),
        num(STATX_TYPE, "STATX_TYPE"),
        mem(STATX),
      ],
      reason,
    ),
    expect(MODE, 2, format >> 12, 0o10000),
    ...(type === "p" ? [] : [expect(MAJOR, 4, major), expect(MINOR, 4, minor)]),
  ];
}
