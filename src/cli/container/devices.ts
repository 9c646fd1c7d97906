import type { DeviceMapping, ThrottleDevice, WeightDevice } from "../../wire/resources.ts";
import { bytes } from "../flags/quantity.ts";

/** `--device host[:container][:rwm]`. */
export function device(text: string): DeviceMapping {
  const parts = text.split(":");
  const [host = "", second, third] = parts;
  if (parts.length > 3 || host === "") throw new Error(`invalid device specification: ${text}`);
  if (second !== undefined && third === undefined && validMode(second))
    return { PathOnHost: host, PathInContainer: host, CgroupPermissions: second };
  if (third !== undefined && !validMode(third)) throw new Error(`invalid device specification: ${text}`);
  return { PathOnHost: host, PathInContainer: second || host, CgroupPermissions: third ?? "rwm" };
}

/** Each of r, w and m at most once. */
function validMode(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;
}

/** `--device-cgroup-rule "c 42:* rmw"` (cgroup-v1/devices.rst of the kernel's documentation). */
export function deviceRule(text: string): string {
  if (!/^[acb] (?:\d+|\*):(?:\d+|\*) [rwm]{1,3}$/.test(text))
    throw new Error(`invalid device cgroup format '${text}'`);
  return text;
}

/** `--blkio-weight-device path:weight`. */
export function weightDevice(text: string): WeightDevice {
  const { path, value } = pathAnd(text);
  const weight = Number(value);
  if (!/^\d+$/.test(value) || weight < 10 || weight > 1000)
    throw new Error(`invalid weight for device: ${text}`);
  return { Path: path, Weight: weight };
}

/** `--device-read-bps path:10mb`. */
export function throughput(text: string): ThrottleDevice {
  const { path, value } = pathAnd(text);
  try {
    return { Path: path, Rate: bytes(value) };
  } catch {
    throw new Error(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`,
    );
  }
}

/** `--device-read-iops path:1000`. */
export function rate(text: string): ThrottleDevice {
  const { path, value } = pathAnd(text);
  if (!/^\d+$/.test(value))
    throw new Error(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>. Number must be a positive integer`,
    );
  return { Path: path, Rate: Number(value) };
}

function pathAnd(text: string): { readonly path: string; readonly value: string } {
  const at = text.indexOf(":");
  if (at < 0) throw new Error(`bad format: ${text}`);
  const path = text.slice(0, at);
  if (!path.startsWith("/dev/")) throw new Error(`bad format for device path: ${text}`);
  return { path, value: text.slice(at + 1) };
}
