import assert from "node:assert/strict";
import { test } from "node:test";
import { validateContainer } from "../../../src/container/spec/validate.ts";
import type { ContainerConfig, HostConfig } from "../../../src/wire/container.ts";
import { EVERY_CAPABILITY } from "./facts.ts";

const MACHINE = {
  cpus: 2,
  cpusetCpus: "0-1",
  cpusetMems: "0",
  arch: "x86_64",
  kernel: "6.18.0",
  capabilities: EVERY_CAPABILITY.filter((name) => name !== "CAP_SYS_RESOURCE"),
} as const;

const verdict = (config: ContainerConfig, host: HostConfig) => validateContainer(config, host, MACHINE);

/** What dockerd 28.5 says to the same body. */
const DOCKER: readonly (readonly [HostConfig, string])[] = [
  [{ Memory: 1000 }, "Minimum memory limit allowed is 6MB"],
  [{ Memory: -5 }, "Minimum memory limit allowed is 6MB"],
  [
    { Memory: 50e6, MemorySwap: 40e6 },
    "Minimum memoryswap limit should be larger than memory limit, see usage",
  ],
  [{ MemorySwap: 50e6 }, "You should always set the Memory limit when using Memoryswap limit, see usage"],
  [{ MemorySwappiness: 101 }, "Invalid value: 101, valid memory swappiness range is 0-100"],
  [{ MemoryReservation: 1000 }, "Minimum memory reservation allowed is 6MB"],
  [
    { Memory: 50e6, MemoryReservation: 60e6 },
    "Minimum memory limit can not be less than memory reservation limit, see usage",
  ],
  [{ NanoCpus: 1e9, CpuPeriod: 1e5 }, "Conflicting options: Nano CPUs and CPU Period cannot both be set"],
  [{ NanoCpus: 1e9, CpuQuota: 1e5 }, "Conflicting options: Nano CPUs and CPU Quota cannot both be set"],
  [{ NanoCpus: 64e9 }, "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"],
  [{ CpuPeriod: 10 }, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"],
  [{ CpuQuota: 10 }, "CPU cfs quota can not be less than 1ms (i.e. 1000)"],
  [{ CpuShares: -1 }, "invalid CPU shares (-1): value must be a positive integer"],
  [{ CpusetCpus: "9" }, "Requested CPUs are not available - requested 9, available: 0-1"],
  [{ CpusetCpus: "a-b" }, "Invalid value a-b for cpuset cpus: invalid format: a-b"],
  [{ CpusetMems: "7" }, "Requested memory nodes are not available - requested 7, available: 0"],
  [{ IOMaximumIOps: 5 }, "invalid option: QoS maximum IOPs configuration is not supported on linux"],
  [
    { CpuRealtimeRuntime: 1000, CpuRealtimePeriod: 100 },
    "cpu real-time runtime cannot be higher than cpu real-time period",
  ],
  [{ IpcMode: "foo" }, "invalid IPC mode: foo"],
  [{ PidMode: "container:" }, "invalid PID mode: container:"],
  [{ UTSMode: "foo" }, "invalid UTS mode: foo"],
  [{ CgroupnsMode: "foo" }, "invalid cgroup namespace mode: foo"],
  [{ NetworkMode: "container:" }, "invalid network mode: invalid container format container:<name|id>"],
  [{ ShmSize: -1 }, "SHM size can not be less than 0"],
  [{ OomScoreAdj: 2000 }, "Invalid value 2000, range for oom score adj is [-1000, 1000]"],
  [{ Runtime: "foo" }, "unknown or invalid runtime name: foo"],
  [{ Isolation: "hyperv" }, "invalid isolation (hyperv): linux only supports 'default'"],
  [
    { Annotations: { "": "x" } },
    "invalid Annotations: the empty string is not permitted as an annotation key",
  ],
  [{ Tmpfs: { "/": "" } }, "invalid specification: destination can't be '/'"],
  [{ Tmpfs: { a: "" } }, "invalid mount path: 'a' mount path must be absolute"],
  [{ Tmpfs: { "/a": "foo=bar" } }, 'invalid tmpfs option "foo"'],
  [{ CapAdd: ["FOO"] }, 'invalid CapAdd: unknown capability: "CAP_FOO"'],
  [{ CapDrop: ["BAR"] }, 'invalid CapDrop: unknown capability: "CAP_BAR"'],
  [{ SecurityOpt: ["foo"] }, 'invalid --security-opt 1: "foo"'],
  [{ SecurityOpt: ["foo=bar"] }, 'invalid --security-opt 2: "foo=bar"'],
  [{ SecurityOpt: ["no-new-privileges:maybe"] }, 'invalid --security-opt 2: "no-new-privileges:maybe"'],
  [
    { NetworkMode: "host", Sysctls: { "net.ipv4.ip_forward": "1" } },
    'sysctl "net.ipv4.ip_forward" not allowed in host network namespace',
  ],
  [
    { IpcMode: "host", Sysctls: { "kernel.msgmax": "1" } },
    'sysctl "kernel.msgmax" is not allowed in the hosts ipc namespace',
  ],
  [{ Sysctls: { "vm.swappiness": "1" } }, 'sysctl "vm.swappiness" is not in a separate kernel namespace'],
  [
    { UTSMode: "host", Sysctls: { "kernel.domainname": "1" } },
    'sysctl "kernel.domainname" is not in a separate kernel namespace',
  ],
  [
    { Binds: ["/tmp:foo"] },
    `invalid volume specification: '/tmp:foo': invalid mount config for type "bind": invalid mount path: 'foo' mount path must be absolute`,
  ],
  [
    { Binds: ["/tmp:/"] },
    `invalid volume specification: '/tmp:/': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
  ],
  [{ Binds: ["/tmp:/x:foo"] }, "invalid mode: foo"],
  [{ Binds: ["/tmp:/x:rw,ro"] }, "invalid mode: rw,ro"],
  [{ Binds: [":/y"] }, "invalid volume specification: ':/y'"],
  [{ Binds: ["/a:/b:ro:z"] }, "invalid volume specification: '/a:/b:ro:z'"],
  [{ Binds: ["/tmp:/y", "/etc:/y"] }, "Duplicate mount point: /y"],
  [{ Binds: ["/tmp:/y"], Tmpfs: { "/y": "" } }, "Duplicate mount point: /y"],
  [
    { Binds: ["a?b:/y"] },
    'create a?b: "a?b" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path',
  ],
  [
    { Binds: ["n:/y"] },
    "create n: volume name is too short, names should be at least two alphanumeric characters",
  ],
  [
    { Binds: ["vol:/y:rshared"] },
    `invalid volume specification: 'vol:/y:rshared': invalid mount config for type "volume": field BindOptions must not be specified`,
  ],
  [
    { Mounts: [{ Type: "bind", Source: "/tmp" }] },
    'invalid mount config for type "bind": field Target must not be empty',
  ],
  [
    { Mounts: [{ Type: "bind", Target: "/x" }] },
    'invalid mount config for type "bind": field Source must not be empty',
  ],
  [
    { Mounts: [{ Type: "bind", Source: "tmp", Target: "/x" }] },
    `invalid mount config for type "bind": invalid mount path: 'tmp' mount path must be absolute`,
  ],
  [
    { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x", VolumeOptions: {} }] },
    'VolumeOptions must not be specified on mount type "bind"',
  ],
  [
    { Mounts: [{ Type: "tmpfs", Source: "x", Target: "/x" }] },
    'invalid mount config for type "tmpfs": field Source must not be specified',
  ],
  [
    { Mounts: [{ Type: "tmpfs", Target: "/x", TmpfsOptions: { Options: [["foo"]] } }] },
    'invalid mount config for type "tmpfs": invalid option: foo',
  ],
  [
    { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x", BindOptions: { ReadOnlyNonRecursive: true } }] },
    "mount options conflict: !ReadOnly && BindOptions.ReadOnlyNonRecursive",
  ],
  [
    { Mounts: [{ Type: "volume", Source: "vv", Target: "/x", VolumeOptions: { Subpath: "../a" } }] },
    'invalid mount config for type "volume": subpath must be a relative path within the volume',
  ],
  [
    { Mounts: [{ Type: "volume", Target: "/x", ReadOnly: true }] },
    'invalid mount config for type "volume": must not set ReadOnly mode when using anonymous volumes',
  ],
  [
    { Mounts: [{ Type: "npipe", Source: "/x", Target: "/x" }] },
    'invalid mount config for type "npipe": mount type unknown',
  ],
  [{ ExtraHosts: ["foo"] }, 'bad format for add-host: "foo"'],
  [{ ExtraHosts: ["foo:bar"] }, 'invalid IP address in add-host: "bar"'],
  [{ DeviceCgroupRules: ["foo"] }, "invalid device cgroup rule format: 'foo'"],
  [
    { DeviceRequests: [{ Driver: "nvidia", Count: -1 }] },
    'could not select device driver "nvidia" with capabilities: []',
  ],
  [{ NetworkMode: "container:x", Dns: ["1.1.1.1"] }, "conflicting options: dns and the network mode"],
  [
    { NetworkMode: "container:x", PublishAllPorts: true },
    "conflicting options: port publishing and the container type network mode",
  ],
];

for (const [host, sentence] of DOCKER) {
  test(`${JSON.stringify(host).slice(0, 100)} is refused in Docker's words`, () => {
    assert.equal(verdict({}, host).error, sentence);
  });
}

for (const [config, sentence] of [
  [{ WorkingDir: "foo" }, "the working directory 'foo' is invalid, it needs to be an absolute path"],
  [{ Env: ["=x"] }, "invalid environment variable: =x"],
  [{ StopSignal: "FOO" }, "invalid signal: FOO"],
  [{ Healthcheck: { Interval: 5 } }, "Interval in Healthcheck cannot be less than 1ms"],
  [{ Healthcheck: { Retries: -1 } }, "Retries in Healthcheck cannot be negative"],
  [
    { Cmd: ["a\0b"] },
    "invalid configuration: a NUL byte cannot be part of an argument, variable, path or name",
  ],
] as const) {
  test(`${JSON.stringify(config)} is refused`, () => {
    assert.equal(verdict(config, {}).error, sentence);
  });
}

test("a hostname contradicts the host's and another container's", () => {
  const hostname = { Hostname: "foo" };
  assert.equal(
    verdict(hostname, { UTSMode: "host" }).error,
    "conflicting options: hostname and the UTS mode",
  );
  assert.equal(
    verdict(hostname, { NetworkMode: "container:x" }).error,
    "conflicting options: hostname and the network mode",
  );
});

test("what the kernel would refuse at the start is refused at once", () => {
  const ulimit = (Soft: number, Hard: number, Name = "nofile") =>
    verdict({}, { Ulimits: [{ Name, Soft, Hard }] }).error;
  assert.equal(ulimit(3, 1), "ulimit soft limit must be less than or equal to hard limit: 3 > 1");
  assert.equal(ulimit(-1, 1), "ulimit soft limit must be less than or equal to hard limit: -1 > 1");
  assert.equal(ulimit(1, -1), undefined);
  assert.equal(ulimit(1, 1, "foo"), "invalid ulimit type: foo");
  assert.match(verdict({ Hostname: "a".repeat(70) }, {}).error ?? "", /longer than the 64 bytes/);
  assert.match(
    verdict({}, { CapAdd: ["SYS_RESOURCE"] }).error ?? "",
    /not available in the current environment/,
  );
  assert.match(
    verdict({}, { Sysctls: { "net.../../kernel/x": "1" } }).error ?? "",
    /separate kernel namespace/,
  );
  assert.match(verdict({}, { CgroupParent: "../../x" }).error ?? "", /invalid cgroup parent/);
  assert.match(verdict({}, { CgroupParent: "system.slice:cais:x" }).error ?? "", /does not ask systemd/);
  assert.equal(verdict({}, { CgroupParent: "/system.slice/x" }).error, undefined);
});

test("a seccomp profile is read, resolved and compiled before anything is made", () => {
  const profile = (text: string) => verdict({}, { SecurityOpt: [`seccomp=${text}`] }).error;
  assert.match(profile("/etc/profile.json") ?? "", /^Decoding seccomp profile failed: /);
  assert.match(profile("{") ?? "", /^Decoding seccomp profile failed: /);
  assert.match(profile('{"defaultAction":"SCMP_ACT_NAP"}') ?? "", /SCMP_ACT_NAP/);
  assert.match(
    profile(
      '{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}',
    ) ?? "",
    /both 'architectures' and 'archMap'/,
  );
  assert.match(
    profile(
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_KILL"}]}',
    ) ?? "",
    /both 'name' and 'names'/,
  );
  assert.match(
    profile(
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_KILL","args":[{"index":0,"value":18446744073709551615,"op":"SCMP_CMP_EQ"}]}]}',
    ) ?? "",
    /no comparisons/,
  );
  assert.equal(profile("unconfined"), undefined);
  assert.equal(profile("builtin"), undefined);
  assert.equal(profile("{}"), undefined);
});

test("time offsets are seconds", () => {
  const offset = (text: string) => verdict({}, { Annotations: { "cais.time.boottime": text } }).error;
  assert.equal(offset("-86400.000000001"), undefined);
  for (const text of ["", "1h", "0x10", "1e3", "--1", "1.0000000001", "99999999999"]) {
    assert.match(offset(text) ?? "", /^invalid time offset boottime=/, text);
  }
});

test("user namespaces: ranges are checked, and what they cannot be together with", () => {
  const userns = (UsernsMode: string, more: HostConfig = {}) => verdict({}, { UsernsMode, ...more }).error;
  assert.equal(userns("uid=0:100000:65536"), undefined);
  assert.equal(userns("host"), undefined);
  assert.match(userns("foo") ?? "", /^invalid USER mode: foo/);
  assert.match(userns("uid=0:1:0") ?? "", /at least one id/);
  assert.match(userns("gid=0:1:1") ?? "", /no range of uids/);
  assert.match(userns("uid=0:1:4294967295") ?? "", /ids end at/);
  assert.match(userns("uid=0:1:10,uid=5:100:10") ?? "", /overlap/);
  assert.match(userns("uid=0:1:10,uid=20:5:10") ?? "", /overlap/);
  assert.match(userns("uid=0:1:10", { Privileged: true }) ?? "", /privileged mode is incompatible/);
  assert.match(userns("uid=0:1:10", { NetworkMode: "host" }) ?? "", /cannot share the host's network/);
});

test("an ordinary container is accepted, with Docker's warning where there is one", () => {
  assert.deepEqual(verdict({ Hostname: "a", WorkingDir: "/", Env: ["A=b", "C"] }, { Memory: 48 << 20 }), {
    warnings: [],
  });
  assert.match(verdict({}, { OomKillDisable: true }).warnings[0] ?? "", /^OOM killer is disabled/);
  assert.deepEqual(verdict({}, { Binds: ["/a:/b:ro,Z,rslave", "v1:/c:nocopy", "/d"] }), { warnings: [] });
});
