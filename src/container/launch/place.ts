import { basename, dirname } from "node:path";
import { AT, flags, MOVE_MOUNT, O, S } from "../../kernel/flags.ts";
import { call, close, from, mem, num, space, str, struct, u64 } from "../../plan/build.ts";
import type { Call, Reason, Slot, Step } from "../../plan/step.ts";
import { HERE, openFlags } from "./files.ts";

/**
 * Places of a bundle's mounts. The image is hostile: its links may lead through `/proc/<pid>/root` to the machine, or
 * into `/proc`, where a mount would hide what the container's safety rests on. So every directory on the way is opened
 * by openat2(2) as in a root of its own without magic links, and a mount goes onto what was opened and looked at.
 */

/** openat2(2): nothing of the way is outside, no link of procfs is followed. */
const IN_ROOT = 0x10;
const NO_MAGICLINKS = 0x02;
const HOW = "O_PATH|O_CLOEXEC, RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS";
/** linux/magic.h */
const PROC_SUPER_MAGIC = 0x9fa0;

const INSIDE = struct([u64(O.PATH | O.CLOEXEC, 0, IN_ROOT | NO_MAGICLINKS)], "open-inside");
const STATFS = space(120, "place-statfs");

const PARENT: Slot = "place-parent";

/** Open a path of the container into `slot`. The current directory is its root. */
export function openInside(path: string, slot: Slot, reason: Reason): Call {
  const inside = relative(path).join("/");
  return call("openat2", [HERE, str(inside === "" ? "." : inside), mem(INSIDE, HOW), num(24)], reason, {
    result: slot,
    retry: true,
  });
}

const relative = (path: string) => path.split("/").filter((part) => part !== "" && part !== ".");

/** Make what is missing of a path, in the directory that the way to it leads to. */
export function makeInside(path: string, kind: "directory" | "file", reason: Reason): Step[] {
  const parts = relative(path);
  return parts.flatMap((name, index) => {
    const directory = kind === "directory" || index < parts.length - 1;
    return [
      openInside(parts.slice(0, index).join("/"), PARENT, reason),
      ...(directory
        ? [call("mkdirat", [from(PARENT), str(name), num(0o755, "0755")], reason, { tolerate: ["EEXIST"] })]
        : makeFile(name, reason)),
      close(PARENT, "close it"),
    ];
  });
}

/** An empty file, unless something of the name is there. */
function makeFile(name: string, reason: Reason): Step[] {
  return [
    {
      kind: "attempt",
      tolerate: ["EEXIST"],
      ...reason,
      steps: [
        call(
          "openat",
          [from(PARENT), str(name), openFlags("WRONLY", "CREAT", "EXCL", "CLOEXEC"), num(0o644, "0644")],
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
      ? [
          call("fstatfs", [from(slot), mem(STATFS)], reason),
          {
            kind: "expect" as const,
            from: STATFS,
            offset: 0,
            size: 8 as const,
            is: "ne" as const,
            value: PROC_SUPER_MAGIC,
            errno: "EXDEV" as const,
            ...reason,
            hint: "a link of the image leads into /proc, where nothing may be mounted",
          },
        ]
      : []),
  ];
}

/** Attach a tree to an opened place. */
export function attachAt(tree: Slot, place: Slot, reason: Reason): Step[] {
  const how = flags("MOVE_MOUNT", MOVE_MOUNT, "F_EMPTY_PATH", "T_EMPTY_PATH");
  return [
    call("move_mount", [from(tree), str(""), from(place), str(""), num(how.value, how.text)], reason),
    close(place, "close it"),
  ];
}

/** Make the place if it is missing, attach the tree, let go of it. */
export function attachInside(
  tree: Slot,
  destination: string,
  kind: "directory" | "file",
  reason: Reason,
): Step[] {
  const place: Slot = "place";
  const make = makeInside(destination, kind, reason);
  if (kind === "directory")
    return [
      ...make,
      ...openPlace(destination, place, reason),
      ...attachAt(tree, place, reason),
      close(tree, "close it"),
    ];
  const parent: Slot = "place-directory";
  const name = basename(destination);
  // A link that leads to nothing, as /etc/resolv.conf often is, is itself the place.
  return [
    ...make,
    openInside(dirname(destination), parent, reason),
    {
      kind: "attempt",
      tolerate: ["ENOENT"],
      steps: [
        ...openPlace(destination, place, reason),
        ...attachAt(tree, place, reason),
        close(tree, "close it"),
      ],
      ...reason,
    },
    {
      kind: "attempt",
      tolerate: ["EBADF"],
      steps: [
        call(
          "move_mount",
          [from(tree), str(""), from(parent), str(name), num(4, "MOVE_MOUNT_F_EMPTY_PATH")],
          reason,
        ),
        close(tree, "close it"),
      ],
      ...reason,
    },
    close(parent, "close it"),
  ];
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
    hint,
  });
  const format = { c: S.IFCHR, u: S.IFCHR, b: S.IFBLK, p: S.IFIFO }[type];
  return [
    call(
      "statx",
      [
        from(directory),
        str(basename(path)),
        num(AT.SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"),
        num(STATX_TYPE, "STATX_TYPE"),
        mem(STATX),
      ],
      reason,
    ),
    expect(MODE, 2, format >> 12, 0o10000),
    ...(type === "p" ? [] : [expect(MAJOR, 4, major), expect(MINOR, 4, minor)]),
  ];
}
