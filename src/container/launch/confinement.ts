import { AT, MOUNT_ATTR, MS, OPEN_TREE } from "../../kernel/flags.ts";
import { call, close, from, mem, num, str, struct, u64 } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";
import { HERE, writeFile } from "./files.ts";
import type { Because } from "./reasons.ts";

/** The kernel's own file systems are alike for host and container: what a path is there need not be tried out. */
const KERNEL_PATH = /^\/(proc|sys)\//;

/**
 * Cover paths that tell or change too much of the machine: files with `/dev/null`, directories with an empty
 * read-only tmpfs. A path that is not there needs no cover.
 */
export function maskPaths(
  paths: readonly string[],
  isDirectory: (path: string) => boolean,
  because: Because,
): Step[] {
  return paths.flatMap((path): Step[] => {
    const reason = because("linux.maskedPaths", `hide ${path}`);
    const file = call(
      "mount",
      [str("/dev/null"), str(path), num(0), num(MS.BIND, "MS_BIND"), num(0)],
      reason,
      {
        tolerate: ["ENOTDIR", "ENOENT"],
      },
    );
    const directory = call(
      "mount",
      [str("tmpfs"), str(path), str("tmpfs"), num(MS.RDONLY, "MS_RDONLY"), str("size=0k")],
      reason,
      { tolerate: ["ENOTDIR", "ENOENT"] },
    );
    // Of the two exactly one fits: a file cannot be mounted on a directory, nor the other way round (ENOTDIR).
    // Failing costs as much as mounting.
    if (!KERNEL_PATH.test(path)) return [file, directory];
    return isDirectory(path) ? [directory] : [file];
  });
}

/** Make trees read-only by mounting them over themselves. */
export function readonlyPaths(paths: readonly string[], because: Because): Step[] {
  return paths.map((path): Step => {
    const reason = because("linux.readonlyPaths", `make ${path} read-only`);
    return {
      kind: "attempt",
      tolerate: ["ENOENT"],
      ...reason,
      steps: [
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
        call(
          "mount_setattr",
          [
            from("tree"),
            str(""),
            num(AT.EMPTY_PATH | AT.RECURSIVE, "AT_EMPTY_PATH|AT_RECURSIVE"),
            mem(struct([u64(MOUNT_ATTR.RDONLY, 0, 0, 0)]), "set MOUNT_ATTR_RDONLY"),
            num(32),
          ],
          reason,
        ),
        call(
          "move_mount",
          [from("tree"), str(""), HERE, str(path), num(4, "MOVE_MOUNT_F_EMPTY_PATH")],
          reason,
        ),
        close("tree", "close it"),
      ],
    };
  });
}

/** Kernel parameters of the container's own namespaces. */
export function sysctls(values: Readonly<Record<string, string>>, because: Because): Step[] {
  return Object.entries(values).map(([name, value]) => {
    const path = `/proc/sys/${name.includes("/") ? name : name.replaceAll(".", "/")}`;
    const hint = "this kernel has no such parameter, or it does not belong to a namespace of the container";
    return writeFile(path, value, because(`linux.sysctl.${name}`, `set ${name}`, hint));
  });
}
