import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerConfig, HostConfig } from "../../../src/wire/container.ts";
import { EVERY_CAPABILITY, specOf } from "./facts.ts";

interface Case {
  readonly host?: HostConfig;
  readonly config?: ContainerConfig;
  /** Paths in the configuration with what dockerd 28.5 writes there; undefined is nothing. */
  readonly expect: Readonly<Record<string, unknown>>;
  /** Paths with the option they come from. */
  readonly from?: Readonly<Record<string, string>>;
}

const namespaces = (...types: string[]) => types.map((type) => ({ type }));

const CASES: Readonly<Record<string, Case>> = {
  "--network host": {
    host: { NetworkMode: "host" },
    expect: {
      "linux.namespaces": namespaces("mount", "uts", "pid", "ipc", "cgroup"),
      "linux.sysctl": undefined,
    },
    from: { "linux.namespaces.network": "--network host" },
  },
  "--pid --uts --ipc --cgroupns host": {
    host: { PidMode: "host", UTSMode: "host", IpcMode: "host", CgroupnsMode: "host" },
    expect: { "linux.namespaces": namespaces("mount", "network"), hostname: undefined },
    from: { "linux.namespaces.pid": "--pid host", "mounts[6]": "--ipc host" },
  },
  "--pid --ipc --network container:ID": {
    host: { PidMode: "container:b", IpcMode: "container:b", NetworkMode: "container:b" },
    expect: {
      "linux.namespaces": [
        { type: "mount" },
        { type: "network", path: "/proc/24531/ns/net" },
        { type: "uts" },
        { type: "pid", path: "/proc/24531/ns/pid" },
        { type: "ipc", path: "/proc/24531/ns/ipc" },
        { type: "cgroup" },
      ],
      "linux.sysctl": undefined,
    },
    from: { "linux.namespaces.ipc": "--ipc container:b" },
  },
  "--userns with ranges": {
    host: { UsernsMode: "uid=0:100000:65536,gid=0:200000:1000" },
    expect: {
      "linux.namespaces": namespaces("mount", "network", "uts", "pid", "ipc", "user", "cgroup"),
      "linux.uidMappings": [{ containerID: 0, hostID: 100000, size: 65536 }],
      "linux.gidMappings": [{ containerID: 0, hostID: 200000, size: 1000 }],
      "linux.sysctl": { "net.ipv4.ip_unprivileged_port_start": "0" },
    },
    from: { "linux.uidMappings": "--userns uid=0:100000:65536,gid=0:200000:1000" },
  },
  "--time-offset": {
    host: { Annotations: { "cais.time.boottime": "86400", "cais.time.monotonic": "-1.5" } },
    expect: {
      "linux.timeOffsets": {
        boottime: { secs: 86400, nanosecs: 0 },
        monotonic: { secs: -2, nanosecs: 500000000 },
      },
    },
    from: { "linux.timeOffsets": "--time-offset boottime=86400,monotonic=-1.5" },
  },
  "-t": {
    config: { Tty: true },
    expect: {
      "process.terminal": true,
      "process.env": [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOSTNAME=594a7cc7ca2e",
        "TERM=xterm",
        "HOME=/root",
      ],
    },
  },
  "-e -w": {
    config: { Env: ["A=1", "PATH=/x:/bin", "HOME=/h", "EMPTY=", "HOSTNAME"], WorkingDir: "/x/../work/" },
    expect: { "process.env": ["PATH=/x:/bin", "A=1", "HOME=/h", "EMPTY="], "process.cwd": "/work" },
    from: { "process.cwd": "-w /x/../work/" },
  },
  "-e HOME=": {
    config: { Env: ["PATH=/bin", "HOME="] },
    expect: { "process.env": ["PATH=/bin", "HOSTNAME=594a7cc7ca2e", "HOME=/root"] },
  },
  "--hostname --domainname": {
    config: { Hostname: "foo", Domainname: "example.com" },
    expect: { hostname: "foo", "linux.sysctl.kernel.domainname": "example.com" },
    from: { hostname: "--hostname foo", "linux.sysctl.kernel.domainname": "--domainname example.com" },
  },
  "-u app": {
    config: { User: "app" },
    expect: { "process.user": { uid: 1000, gid: 1001, additionalGids: [1001, 29, 44] } },
    from: { "process.user": "-u app" },
  },
  "-u 1234:29 --group-add": {
    config: { User: "1234:29" },
    host: { GroupAdd: ["777", "video"] },
    expect: { "process.user": { uid: 1234, gid: 29, additionalGids: [29, 777, 44] } },
    from: { "process.user.additionalGids": "--group-add 777 --group-add video" },
  },
  "--cap-add --cap-drop": {
    host: { CapAdd: ["SYS_ADMIN", "cap_net_admin"], CapDrop: ["MKNOD"] },
    expect: {
      "process.capabilities.bounding": [
        ..."CHOWN DAC_OVERRIDE FSETID FOWNER NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE".split(
          " ",
        ),
        ..."SYS_CHROOT KILL AUDIT_WRITE NET_ADMIN SYS_ADMIN".split(" "),
      ].map((name) => `CAP_${name}`),
    },
    from: { "process.capabilities": "--cap-add SYS_ADMIN --cap-add cap_net_admin --cap-drop MKNOD" },
  },
  "--cap-add ALL --cap-drop": {
    host: { CapAdd: ["ALL"], CapDrop: ["SYS_ADMIN"] },
    expect: { "process.capabilities.effective": EVERY_CAPABILITY.filter((name) => name !== "CAP_SYS_ADMIN") },
  },
  "--cap-drop all --cap-add": {
    host: { CapDrop: ["all"], CapAdd: ["net_raw", "CAP_KILL"] },
    expect: { "process.capabilities.permitted": ["CAP_KILL", "CAP_NET_RAW"] },
  },
  "--privileged": {
    host: { Privileged: true },
    expect: {
      "process.capabilities.bounding": EVERY_CAPABILITY,
      "linux.maskedPaths": undefined,
      "linux.readonlyPaths": undefined,
      "linux.seccomp": undefined,
      "linux.resources.devices": [{ allow: true, access: "rwm" }],
      "linux.devices.length": 4,
      "mounts.3.options": ["nosuid", "noexec", "nodev"],
      "mounts.4.options": ["nosuid", "noexec", "nodev"],
      "linux.namespaces": namespaces("mount", "network", "uts", "pid", "ipc"),
    },
    from: { "linux.devices[/dev/fuse]": "--privileged", "process.capabilities": "--privileged" },
  },
  "--security-opt no-new-privileges seccomp=unconfined": {
    host: { SecurityOpt: ["no-new-privileges", "seccomp=unconfined"] },
    expect: { "process.noNewPrivileges": true, "linux.seccomp": undefined },
    from: {
      "process.noNewPrivileges": "--security-opt no-new-privileges",
      "linux.seccomp": "--security-opt seccomp=unconfined",
    },
  },
  "a seccomp profile": {
    host: {
      SecurityOpt: [
        'seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"getcwd","action":"SCMP_ACT_ERRNO","args":null}]}',
      ],
    },
    expect: {
      "linux.seccomp": {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["getcwd"], action: "SCMP_ACT_ERRNO" }],
      },
    },
    from: { "linux.seccomp": "--security-opt seccomp=PROFILE" },
  },
  "systempaths=unconfined, as the client sends it": {
    host: { MaskedPaths: [], ReadonlyPaths: [] },
    expect: { "linux.maskedPaths": undefined, "linux.readonlyPaths": undefined },
  },
  "--ulimit": {
    host: {
      Ulimits: [
        { Name: "core", Soft: -1, Hard: -1 },
        { Name: "nofile", Soft: 1024, Hard: 2048 },
      ],
    },
    expect: {
      "process.rlimits": [
        { type: "RLIMIT_CORE", soft: 2 ** 64, hard: 2 ** 64 },
        { type: "RLIMIT_NOFILE", soft: 1024, hard: 2048 },
      ],
    },
    from: { "process.rlimits[1]": "--ulimit nofile=1024:2048" },
  },
  "--sysctl": {
    host: { Sysctls: { "net.ipv4.ip_forward": "1", "kernel.msgmax": "65536" } },
    expect: {
      "linux.sysctl": {
        "net.ipv4.ping_group_range": "0 2147483647",
        "net.ipv4.ip_unprivileged_port_start": "0",
        "net.ipv4.ip_forward": "1",
        "kernel.msgmax": "65536",
      },
    },
    from: { "linux.sysctl.kernel.msgmax": "--sysctl kernel.msgmax=65536" },
  },
  "--memory with everything": {
    host: {
      Memory: 50331648,
      MemorySwap: 67108864,
      MemoryReservation: 33554432,
      MemorySwappiness: 10,
      OomKillDisable: true,
      OomScoreAdj: 500,
    },
    expect: {
      "linux.resources.memory": {
        limit: 50331648,
        reservation: 33554432,
        swap: 67108864,
        swappiness: 10,
        disableOOMKiller: true,
      },
      "process.oomScoreAdj": 500,
    },
    from: { "linux.resources.memory.limit": "--memory 48m", "process.oomScoreAdj": "--oom-score-adj 500" },
  },
  "--memory alone limits memory and swap to twice that": {
    host: { Memory: 50331648 },
    expect: { "linux.resources.memory": { limit: 50331648, swap: 100663296 } },
  },
  "--cpus 0.2": {
    host: { NanoCpus: 200000000 },
    expect: { "linux.resources.cpu": { quota: 20000, period: 100000 } },
    from: { "linux.resources.cpu.quota": "--cpus 0.2" },
  },
  "--cpu-quota --cpu-period --cpu-shares --cpuset-cpus --cpuset-mems": {
    host: { CpuQuota: 50000, CpuPeriod: 200000, CpuShares: 512, CpusetCpus: "0", CpusetMems: "0" },
    expect: { "linux.resources.cpu": { shares: 512, quota: 50000, period: 200000, cpus: "0", mems: "0" } },
    from: { "linux.resources.cpu.shares": "--cpu-shares 512" },
  },
  "--pids-limit": {
    host: { PidsLimit: 50 },
    expect: { "linux.resources.pids": { limit: 50 } },
    from: { "linux.resources.pids.limit": "--pids-limit 50" },
  },
  "--pids-limit -1": { host: { PidsLimit: -1 }, expect: { "linux.resources.pids": undefined } },
  "--blkio-weight --device-read-bps --device-write-iops": {
    host: {
      BlkioWeight: 300,
      BlkioDeviceReadBps: [{ Path: "/dev/vda", Rate: 1048576 }],
      BlkioDeviceWriteIOps: [{ Path: "/dev/vda", Rate: 100 }],
    },
    expect: {
      "linux.resources.blockIO": {
        weight: 300,
        throttleReadBpsDevice: [{ major: 254, minor: 0, rate: 1048576 }],
        throttleWriteIOPSDevice: [{ major: 254, minor: 0, rate: 100 }],
      },
    },
    from: { "linux.resources.blockIO.throttleReadBpsDevice[0]": "--device-read-bps /dev/vda:1m" },
  },
  "--device and --device-cgroup-rule": {
    host: {
      Devices: [
        { PathOnHost: "/dev/fuse", PathInContainer: "/dev/fuse", CgroupPermissions: "rwm" },
        { PathOnHost: "/dev/zero", PathInContainer: "/dev/foo", CgroupPermissions: "r" },
      ],
      DeviceCgroupRules: ["c 10:* rmw", "a *:* r"],
    },
    expect: {
      "linux.devices": [
        { path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 0o600, uid: 0, gid: 0 },
        { path: "/dev/foo", type: "c", major: 1, minor: 5, fileMode: 0o666, uid: 0, gid: 0 },
      ],
      "linux.resources.devices.8": { allow: true, type: "c", major: 10, minor: 229, access: "rwm" },
      "linux.resources.devices.9": { allow: true, type: "c", major: 1, minor: 5, access: "r" },
      "linux.resources.devices.10": { allow: true, type: "c", major: 10, minor: -1, access: "rmw" },
      "linux.resources.devices.11": { allow: true, type: "a", major: -1, minor: -1, access: "r" },
    },
    from: { "linux.devices[/dev/foo]": "--device /dev/zero:/dev/foo:r" },
  },
  "--device with a directory": {
    host: { Devices: [{ PathOnHost: "/dev/net", PathInContainer: "/dev/nets", CgroupPermissions: "rwm" }] },
    expect: { "linux.devices.0.path": "/dev/nets/tun", "linux.devices.length": 1 },
  },
  "--cgroup-parent": {
    host: { CgroupParent: "/foo/bar" },
    expect: {
      "linux.cgroupsPath": "/foo/bar/594a7cc7ca2ea813a04db7e05450c96333929768a9012e82876d8c8c0a51bbcc",
    },
    from: { "linux.cgroupsPath": "--cgroup-parent /foo/bar" },
  },
};

for (const [title, { host = {}, config = {}, expect, from = {} }] of Object.entries(CASES)) {
  test(title, () => {
    const { spec, origins } = specOf(host, config);
    for (const [path, value] of Object.entries(expect)) assert.deepEqual(at(spec, path), value, path);
    for (const [part, option] of Object.entries(from)) assert.equal(origins.get(part), option, part);
  });
}

test("cgroup v2 has no swappiness and no switch for the OOM killer, and a view of its own even if privileged", () => {
  const host = { Memory: 50331648, MemorySwappiness: 10, OomKillDisable: true, Privileged: true };
  const { spec } = specOf(host, {}, { cgroupVersion: 2 });
  assert.deepEqual(spec.linux?.resources?.memory, { limit: 50331648, swap: 100663296 });
  assert.ok(spec.linux?.namespaces?.some(({ type }) => type === "cgroup"));
});

test("a device that is not there is named", () => {
  const host = {
    Devices: [{ PathOnHost: "/dev/nope", PathInContainer: "/dev/nope", CgroupPermissions: "rwm" }],
  };
  assert.throws(() => specOf(host), {
    message:
      'error gathering device information while adding custom device "/dev/nope": no such file or directory',
  });
});

/** The part of `value` at `path`; keys may themselves hold dots, as sysctls do. */
function at(value: unknown, path: string): unknown {
  const keys = path.split(".");
  for (let end = keys.length; end > 0; end--) {
    const key = keys.slice(0, end).join(".");
    if (typeof value !== "object" || value === null || !(key in value)) continue;
    const inner = (value as Record<string, unknown>)[key];
    return end === keys.length ? inner : at(inner, keys.slice(end).join("."));
  }
  return undefined;
}
