import type { SpecFacts } from "../../../src/container/spec/facts.ts";
import { runtimeSpec } from "../../../src/container/spec/spec.ts";
import { resolveUser } from "../../../src/container/spec/user.ts";
import { CAPABILITIES, type CapabilityName } from "../../../src/kernel/capabilities.ts";
import type { Device } from "../../../src/oci/runtime/linux.ts";
import type { ContainerConfig, HostConfig } from "../../../src/wire/container.ts";

export const ID = "594a7cc7ca2ea813a04db7e05450c96333929768a9012e82876d8c8c0a51bbcc";
export const EVERY_CAPABILITY = Object.keys(CAPABILITIES) as CapabilityName[];

export const PASSWD = `root:x:0:0:root:/root:/bin/sh
app:x:1000:1001:App:/home/app:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
`;
export const GROUP = `root:x:0:
audio:x:29:app,root
video:x:44:app
app:x:1001:
nogroup:x:65534:
`;

const DEVICES: readonly Device[] = [
  { path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 0o600, uid: 0, gid: 0 },
  { path: "/dev/net/tun", type: "c", major: 10, minor: 200, fileMode: 0o600, uid: 0, gid: 0 },
  { path: "/dev/vda", type: "b", major: 254, minor: 0, fileMode: 0o660, uid: 0, gid: 6 },
  { path: "/dev/zero", type: "c", major: 1, minor: 5, fileMode: 0o666, uid: 0, gid: 0 },
];

/** What an engine would know of a container with this configuration. */
export function factsOf(
  config: ContainerConfig,
  host: HostConfig,
  changed: Partial<SpecFacts> = {},
): SpecFacts {
  return {
    id: ID,
    rootfs: "/root-of-it",
    arch: "x86_64",
    kernel: "6.18.44-test",
    cgroupVersion: 1,
    cgroupParent: "/cais",
    capabilities: EVERY_CAPABILITY,
    user: resolveUser(config.User ?? "", host.GroupAdd ?? [], { passwd: PASSWD, group: GROUP }),
    hostname: config.Hostname || ID.slice(0, 12),
    files: { resolvConf: "/made/resolv.conf", hostname: "/made/hostname", hosts: "/made/hosts" },
    volumes: new Map([
      ["/m3", "/volumes/vv"],
      ["/vol", "/volumes/named"],
      ["/zz", "/volumes/anon2"],
      ["/just/anon", "/volumes/1"],
    ]),
    joined: { pid: 24531, ipc: 24531, network: 24531, uts: 24531 },
    sharedMemory: "/shared/shm",
    devices: (path) => {
      const found = DEVICES.filter((device) => device.path === path || device.path.startsWith(`${path}/`));
      return found.length > 0 ? found : undefined;
    },
    hostDevices: () => DEVICES,
    exists: () => false,
    ...changed,
  };
}

/** The configuration of `sleep 1000` under these options, and where each part comes from. */
export function specOf(
  host: HostConfig = {},
  config: ContainerConfig = {},
  changed: Partial<SpecFacts> = {},
) {
  const whole = { Cmd: ["sleep", "1000"], ...config };
  return runtimeSpec(whole, host, factsOf(whole, host, changed));
}
