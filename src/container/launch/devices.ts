import { existsSync } from "node:fs";
import { posix } from "node:path";
import { OPEN_TREE, S } from "../../kernel/flags.ts";
import type { Device } from "../../oci/runtime/linux.ts";
import { call, close, num, str } from "../../plan/build.ts";
import type { Step } from "../../plan/step.ts";
import { HERE, makeDirectories, openFlags } from "./files.ts";
import { attachTree } from "./mounts.ts";
import { attachInside, copyOf } from "./place.ts";
import type { Because } from "./reasons.ts";

/** Devices every container has (runtime-spec, config-linux.md "Default Devices"). */
const DEFAULT_DEVICES: readonly Device[] = [
  ["null", 1, 3],
  ["zero", 1, 5],
  ["full", 1, 7],
  ["random", 1, 8],
  ["urandom", 1, 9],
  ["tty", 5, 0],
].map(([name, major, minor]) => ({
  path: `/dev/${name}`,
  type: "c",
  major: Number(major),
  minor: Number(minor),
  fileMode: 0o666,
  uid: 0,
  gid: 0,
}));

/** Links every container has, from the same section and from what Docker's containers have. */
const LINKS: readonly (readonly [string, string])[] = [
  ["/proc/self/fd", "/dev/fd"],
  ["/proc/self/fd/0", "/dev/stdin"],
  ["/proc/self/fd/1", "/dev/stdout"],
  ["/proc/self/fd/2", "/dev/stderr"],
  ["/proc/kcore", "/dev/core"],
  ["pts/ptmx", "/dev/ptmx"],
];

/** Where a kernel has no such file a link to it leads to nothing. */
export function linksHere(): readonly (readonly [string, string])[] {
  return LINKS.filter(([target]) => target !== "/proc/kcore" || existsSync(target));
}

/**
 * The default devices and the configuration's, each path once. `/dev/ptmx` is the link to that of its own devpts (as
 * with runc): the machine's, shown in its place, would open the machine's terminals.
 */
export function devicesOf(listed: readonly Device[]): readonly Device[] {
  const made = listed.filter(({ path }) => posix.normalize(path) !== "/dev/ptmx");
  const named = new Set(made.map((device) => device.path));
  return [...DEFAULT_DEVICES.filter((device) => !named.has(device.path)), ...made];
}

/** Make the nodes in the container's `/dev`. */
export function makeDevices(devices: readonly Device[], because: Because): Step[] {
  return devices.flatMap((device) => {
    const reason = because(`linux.devices[${device.path}]`, `make ${device.path}`);
    const type = { c: S.IFCHR, u: S.IFCHR, b: S.IFBLK, p: S.IFIFO }[device.type];
    const mode = (device.fileMode ?? 0o666) & 0o7777;
    return [
      ...parents(device.path, reason.why),
      call(
        "mknodat",
        [
          HERE,
          str(device.path),
          num(type | mode, `${device.type} ${mode.toString(8).padStart(4, "0")}`),
          num(deviceNumber(device), `${device.major ?? 0}:${device.minor ?? 0}`),
        ],
        reason,
        { tolerate: ["EEXIST"] },
      ),
      ...((device.uid ?? 0) !== 0 || (device.gid ?? 0) !== 0
        ? [
            call(
              "fchownat",
              [HERE, str(device.path), num(device.uid ?? 0), num(device.gid ?? 0), num(0)],
              reason,
            ),
          ]
        : []),
    ];
  });
}

/** `dev_t` as the kernel takes it from user space (linux/kdev_t.h, `new_decode_dev`). */
export function deviceNumber({ major = 0, minor = 0 }: Device): number {
  return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

function parents(path: string, why: string): Step[] {
  const parent = path.slice(0, path.lastIndexOf("/"));
  return parent === "/dev" ? [] : makeDirectories(parent, { why });
}

/** With own users nodes cannot be made (mknod(2), EPERM): the host's are opened before the clone … */
export function openHostDevices(devices: readonly Device[]): Step[] {
  return devices.map((device) =>
    call(
      "open_tree",
      [HERE, str(device.path), num(OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC, "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC")],
      { why: `share the host's ${device.path}: a container with own users cannot make devices` },
      { result: `device.${device.path}` },
    ),
  );
}

/** … and attached on empty files. */
export function attachHostDevices(devices: readonly Device[]): Step[] {
  return devices.flatMap((device) => {
    const reason = { why: `share the host's ${device.path}` };
    return [
      ...parents(device.path, reason.why),
      call(
        "openat",
        [HERE, str(device.path), openFlags("WRONLY", "CREAT", "CLOEXEC"), num(0o666, "0666")],
        reason,
        {
          result: "file",
        },
      ),
      close("file", "close it"),
      ...attachTree(`device.${device.path}`, device.path, reason),
    ];
  });
}

/** `/dev/fd`, `/dev/stdin` and the others. */
export function makeDeviceLinks(): Step[] {
  return linksHere().map(([target, path]) =>
    call("symlinkat", [str(target), HERE, str(path)], `link ${path}`, { tolerate: ["EEXIST"] }),
  );
}

/** Bind the terminal on `/dev/console`, where programs look for the container's own. */
export function bindConsole(terminal: string): Step[] {
  const reason = { why: "show the terminal as /dev/console" };
  return [copyOf(terminal, "console", reason), ...attachInside("console", "/dev/console", "file", reason)];
}
