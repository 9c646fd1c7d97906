import { AT, MOUNT_ATTR, MS, OPEN_TREE } from "../../kernel/flags.ts";
import { call, close, from, mem, num, str } from "../../plan/build.ts";
import type { Attempt, Reason, Slot, Step } from "../../plan/step.ts";
import { HERE } from "./files.ts";
import { makeFileSystem, planMount, setAttribute } from "./mounts.ts";
import { attachAt, copyOf, inProc, openInside, openNull } from "./place.ts";
import type { Because } from "./reasons.ts";

/** The kernel's own file systems are alike for host and container: what a path is there need not be tried out. */
const KERNEL_PATH = /^\/(proc|sys)\//;

/**
 * Paths to cover or to make read-only. `untouched` are those that lead through nothing but file systems that the plan
 * has just made, at a moment when nothing of the image or of a volume is among them; all others are walked with care.
 */
export interface Confined {
  readonly paths: readonly string[];
  readonly untouched: (path: string) => boolean;
}

/**
 * Cover paths that tell or change too much of the machine: files with `/dev/null`, directories with an empty
 * read-only tmpfs. A path that is not there needs no cover.
 */
export function maskPaths(
  { paths, untouched }: Confined,
  isDirectory: (path: string) => boolean,
  because: Because,
): Step[] {
  // Of the two exactly one fits: a file cannot be mounted on a directory, nor the other way round (ENOTDIR).
  // Failing costs as much as mounting.
  const kinds = (path: string): readonly ("file" | "directory")[] =>
    KERNEL_PATH.test(path) ? [isDirectory(path) ? "directory" : "file"] : ["file", "directory"];
  const careful = paths.some((path) => !untouched(path));
  const hide = (path: string) => because("linux.maskedPaths", `hide ${path}`);
  const first = paths.find((path) => !untouched(path)) ?? "";
  return [
    ...(careful ? openNull(NULL, hide(first)) : []),
    ...paths.flatMap((path): Step[] =>
      untouched(path)
        ? kinds(path).map((kind) => coverPath(path, kind, hide(path)))
        : [coverInside(path, hide(path))],
    ),
    ...(careful ? [close(NULL, "close it")] : []),
  ];
}

const NULL: Slot = "null-device";
const NO_SUCH = ["ENOTDIR", "ENOENT"] as const;

function coverPath(path: string, kind: "file" | "directory", reason: Reason): Step {
  const args =
    kind === "file"
      ? [str("/dev/null"), str(path), num(0), num(MS.BIND, "MS_BIND"), num(0)]
      : [str("tmpfs"), str(path), str("tmpfs"), num(MS.RDONLY, "MS_RDONLY"), str("size=0k")];
  return call("mount", args, reason, { tolerate: NO_SUCH });
}

/** On what a path leads to inside of the container, and nowhere else. A path that ends in "/." is a directory's. */
function coverInside(path: string, reason: Reason): Step {
  const cover = (how: readonly Step[]): readonly Step[] => [
    ...how,
    ...attachAt("cover", "covered", reason),
    close("cover", "close it"),
  ];
  const file: Attempt = {
    kind: "attempt",
    tolerate: ["ENOENT"],
    ...reason,
    steps: [openInside(path, "covered", reason), ...cover([copyOf(NULL, "cover", reason)])],
  };
  return {
    kind: "attempt",
    tolerate: NO_SUCH,
    ...reason,
    steps: [openInside(`${path}/.`, "covered", reason), ...cover(emptyTmpfs("cover", reason))],
    otherwise: [file],
  };
}

function emptyTmpfs(tree: Slot, reason: Reason): Step[] {
  const mount = { destination: "", type: "tmpfs", source: "tmpfs", options: ["ro", "size=0k"] };
  return makeFileSystem({ ...planMount(mount, 0, () => true, reason), tree });
}

/** Make trees read-only by mounting them over themselves. */
export function readonlyPaths({ paths, untouched }: Confined, because: Because): Step[] {
  return paths.map((path): Step => {
    const reason = because("linux.readonlyPaths", `make ${path} read-only`);
    const readonly = setAttribute("tree", { set: MOUNT_ATTR.RDONLY }, true, reason);
    const steps: readonly Step[] = untouched(path)
      ? [
          call(
            "open_tree",
            [
              HERE,
              str(path),
              num(OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.RECURSIVE, "OPEN_TREE_CLONE|AT_RECURSIVE"),
            ],
            reason,
            { result: "tree" },
          ),
          readonly,
          call(
            "move_mount",
            [from("tree"), str(""), HERE, str(path), num(4, "MOVE_MOUNT_F_EMPTY_PATH")],
            reason,
          ),
          close("tree", "close it"),
        ]
      : [
          openInside(path, "covered", reason),
          copyOf("covered", "tree", reason, true),
          readonly,
          ...attachAt("tree", "covered", reason),
          close("tree", "close it"),
        ];
    return { kind: "attempt", tolerate: ["ENOENT"], ...reason, steps };
  });
}

/** Kernel parameters of the container's own namespaces. */
export function sysctls(values: Readonly<Record<string, string>>, because: Because): Step[] {
  return Object.entries(values).flatMap(([name, value]): Step[] => {
    const path = `/proc/sys/${name.includes("/") ? name : name.replaceAll(".", "/")}`;
    const hint = "this kernel has no such parameter, or it does not belong to a namespace of the container";
    const reason = because(`linux.sysctl.${name}`, `set ${name}`, hint);
    const bytes = new TextEncoder().encode(value);
    return [
      openInside(path, "file", reason, ["WRONLY"]),
      // Whatever the image or a mount has put there instead would be written to.
      ...inProc("file", "eq", reason),
      call("write", [from("file"), mem({ kind: "text", text: value }), num(bytes.length)], reason),
      close("file", "close it"),
    ];
  });
}
