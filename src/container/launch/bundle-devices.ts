import { basename, dirname } from "node:path";
import { S } from "../../kernel/flags.ts";
import type { Device } from "../../oci/runtime/linux.ts";
import { call, close, from, num, str } from "../../plan/build.ts";
import type { Slot, Step } from "../../plan/step.ts";
import { deviceNumber, linksHere } from "./devices.ts";
import { attachInside, expectDevice, makeInside, openInside } from "./place.ts";
import type { Because } from "./reasons.ts";

/** Devices of a bundle, in whatever `/dev` there is: a file of the image in a device's place is no device. */

const DIRECTORY: Slot = "device-directory";

/** Make the nodes; what is there already must be the device (config-linux.md, "Devices"). */
export function makeNodes(devices: readonly Device[], because: Because): Step[] {
  return devices.flatMap((device) => {
    const { gid = 0, major = 0, minor = 0, path, uid = 0 } = device;
    const reason = because(`linux.devices[${path}]`, `make ${path}`);
    const type = { c: S.IFCHR, u: S.IFCHR, b: S.IFBLK, p: S.IFIFO }[device.type];
    const mode = (device.fileMode ?? 0o666) & 0o7777;
    const name = basename(path);
    const owned = uid !== 0 || gid !== 0;
    return [
      ...makeInside(dirname(path), "directory", reason),
      openInside(dirname(path), DIRECTORY, reason),
      call(
        "mknodat",
        [
          from(DIRECTORY),
          str(name),
          num(type | mode, `${device.type} ${mode.toString(8).padStart(4, "0")}`),
          num(deviceNumber(device), `${major}:${minor}`),
        ],
        reason,
        { tolerate: ["EEXIST"] },
      ),
      ...expectDevice(DIRECTORY, path, device.type, major, minor, reason),
      ...(owned
        ? [
            call(
              "fchownat",
              [from(DIRECTORY), str(name), num(uid), num(gid), num(0x100, "AT_SYMLINK_NOFOLLOW")],
              reason,
            ),
          ]
        : []),
      close(DIRECTORY, "close it"),
    ];
  });
}

/** With other users: the host's nodes, opened before the clone, on empty files. */
export function attachNodes(devices: readonly Device[]): Step[] {
  return devices.flatMap(({ path }) =>
    attachInside(`device.${path}`, path, "file", { why: `share the host's ${path}` }),
  );
}

/** `/dev/fd` and the others, where the image has not made them. */
export function makeLinks(): Step[] {
  const reason = { why: "find the directory of devices" };
  return [
    ...makeInside("/dev", "directory", reason),
    openInside("/dev", DIRECTORY, reason),
    ...linksHere().map(([target, path]) =>
      call("symlinkat", [str(target), from(DIRECTORY), str(basename(path))], `link ${path}`, {
        tolerate: ["EEXIST"],
      }),
    ),
    close(DIRECTORY, "close it"),
  ];
}
