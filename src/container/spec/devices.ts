import { Refusal } from "../../oci/error.ts";
import type { Device } from "../../oci/runtime/linux.ts";
import type { DeviceRule } from "../../oci/runtime/resources.ts";
import type { DeviceMapping, HostConfig } from "../../wire/container.ts";
import type { SpecFacts } from "./facts.ts";
import { type Origins, typedWord } from "./origins.ts";

/** zero, null, urandom, random, tty, console; not fuse. What a runtime always lets in (ptmx, mknod) is not here. */
const DEFAULT_RULES: readonly DeviceRule[] = [
  { allow: false, access: "rwm" },
  ...(
    [
      [1, 5],
      [1, 3],
      [1, 9],
      [1, 8],
      [5, 0],
      [5, 1],
    ] as const
  ).map(([major, minor]) => ({ allow: true, type: "c", major, minor, access: "rwm" }) as const),
  { allow: false, type: "c", major: 10, minor: 229, access: "rwm" },
];

/** The device nodes beyond the runtime's own, and which devices may be used. */
export function devicesOf(
  host: HostConfig,
  facts: SpecFacts,
  origins: Origins,
): { readonly devices: readonly Device[]; readonly rules: readonly DeviceRule[] } {
  const devices: Device[] = [];
  const rules: DeviceRule[] = host.Privileged ? [{ allow: true, access: "rwm" }] : [...DEFAULT_RULES];
  const push = (device: Device, option: string) => {
    origins.add(`linux.devices[${device.path}]`, option);
    devices.push(device);
  };
  const rule = (one: DeviceRule, option: string) => {
    if (host.Privileged) return;
    origins.add(`linux.resources.devices[${rules.length}]`, option);
    rules.push(one);
  };
  if (host.Privileged) {
    origins.add("linux.resources.devices[0]", "--privileged");
    for (const device of facts.hostDevices()) push(device, "--privileged");
  }
  for (const mapping of host.Devices ?? []) {
    const { inContainer, onHost, access, option } = typed(mapping);
    if (host.Privileged && inContainer === onHost) continue;
    for (const device of found(facts, onHost)) {
      const path = `${inContainer}${device.path.slice(onHost.length)}`;
      push({ ...device, path }, option);
      const { type, major, minor } = device;
      if (type === "p") continue;
      rule(
        { allow: true, type: type === "u" ? "c" : type, major: major ?? -1, minor: minor ?? -1, access },
        option,
      );
    }
  }
  for (const word of host.DeviceCgroupRules ?? [])
    rule(parseRule(word)!, `--device-cgroup-rule ${typedWord(word)}`);
  return { devices, rules };
}

/** `type major:minor access` with `*` for any number (devices.allow of cgroup v1); undefined for anything else. */
export function parseRule(word: string): DeviceRule | undefined {
  const match = /^([acb]) ([0-9]{1,10}|\*):([0-9]{1,10}|\*) ([rwm]{1,3})$/.exec(word);
  if (!match) return undefined;
  const [, type, major, minor, access] = match;
  const number = (text: string | undefined) => (text === "*" ? -1 : Number(text));
  return {
    allow: true,
    type: type as "a" | "b" | "c",
    major: number(major),
    minor: number(minor),
    access: access!,
  };
}

function typed({ PathOnHost = "", PathInContainer, CgroupPermissions }: DeviceMapping) {
  const inContainer = PathInContainer || PathOnHost;
  const access = CgroupPermissions || "rwm";
  const words = [
    PathOnHost,
    ...(inContainer === PathOnHost ? [] : [inContainer]),
    ...(access === "rwm" ? [] : [access]),
  ];
  return { onHost: PathOnHost, inContainer, access, option: `--device ${typedWord(words.join(":"))}` };
}

function found(facts: SpecFacts, path: string): readonly Device[] {
  const devices = facts.devices(path);
  if (devices !== undefined && devices.length > 0) return devices;
  const reason = devices === undefined ? "no such file or directory" : "not a device node";
  throw new Refusal(
    "invalid",
    `error gathering device information while adding custom device ${JSON.stringify(path.slice(0, 200))}: ${reason}`,
  );
}
