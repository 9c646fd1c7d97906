import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig, readExecProcess, readUpdate } from "../../src/oci/runtime/config.ts";

// Every field of the specification is read, what is wrong is refused by the name of its field.

type Part = { readonly [key: string]: unknown };

const BASE: Part = {
  ociVersion: "1.2.0",
  root: { path: "rootfs" },
  process: { user: { uid: 0, gid: 0 }, args: ["sh"], cwd: "/" },
  linux: { namespaces: [{ type: "mount" }, { type: "pid" }] },
};

const config = (over: Part): string => JSON.stringify({ ...BASE, ...over });
const inLinux = (linux: Part): Part => ({ linux: { ...(BASE.linux as Part), ...linux } });
const inProcess = (process: Part): Part => ({ process: { ...(BASE.process as Part), ...process } });
const inResources = (resources: Part): Part => inLinux({ resources });
const withNamespaces = (...types: string[]): Part => ({
  namespaces: ["mount", ...types].map((type) => ({ type })),
});
const ID = { containerID: 0, hostID: 1000, size: 32000 };

/** Everything that config.md and config-linux.md have, with the values of their examples. */
const FULL: Part = {
  ociVersion: "1.2.0",
  root: { path: "rootfs", readonly: true },
  hostname: "slartibartfast",
  domainname: "foobarbaz.test",
  annotations: { "com.example.key1": "value1" },
  mounts: [
    { destination: "/proc", type: "proc", source: "proc" },
    {
      destination: "/data",
      type: "none",
      source: "/volumes/testing",
      options: ["rbind", "idmap"],
      uidMappings: [ID],
      gidMappings: [ID],
    },
  ],
  hooks: {
    prestart: [{ path: "/usr/bin/fix-mounts", args: ["fix-mounts", "arg1"], env: ["key1=value1"] }],
    createRuntime: [{ path: "/usr/bin/setup-network" }],
    createContainer: [{ path: "/usr/bin/mount-hook" }],
    startContainer: [{ path: "/usr/bin/refresh-ldcache" }],
    poststart: [{ path: "/usr/bin/notify-start", timeout: 5 }],
    poststop: [{ path: "/usr/sbin/cleanup.sh" }],
  },
  process: {
    terminal: true,
    consoleSize: { height: 25, width: 80 },
    user: { uid: 1, gid: 1, umask: 63, additionalGids: [5, 6] },
    args: ["sh"],
    env: ["TERM=xterm"],
    cwd: "/",
    capabilities: Object.fromEntries(
      ["bounding", "effective", "inheritable", "permitted", "ambient"].map((set) => [set, ["CAP_KILL"]]),
    ),
    rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
    apparmorProfile: "acme_secure_profile",
    selinuxLabel: "system_u:system_r:svirt_lxc_net_t:s0:c124,c675",
    noNewPrivileges: true,
    oomScoreAdj: 100,
    ioPriority: { class: "IOPRIO_CLASS_IDLE", priority: 4 },
    scheduler: {
      policy: "SCHED_DEADLINE",
      nice: 0,
      flags: ["SCHED_FLAG_RECLAIM"],
      runtime: 1,
      deadline: 2,
      period: 3,
    },
    execCPUAffinity: { initial: "7", final: "0-3,7" },
  },
  linux: {
    namespaces: ["pid", "network", "ipc", "uts", "mount", "user", "cgroup", "time"].map((type) => ({ type })),
    uidMappings: [ID],
    gidMappings: [ID],
    timeOffsets: { monotonic: { secs: 172800, nanosecs: 0 }, boottime: { secs: -604800 } },
    devices: [
      { path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 438, uid: 0, gid: 0 },
      { path: "/dev/fifo", type: "p" },
    ],
    sysctl: { "net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1" },
    cgroupsPath: "/myRuntime/myContainer",
    resources: {
      network: { classID: 1048577, priorities: [{ name: "eth0", priority: 500 }] },
      pids: { limit: 32771 },
      hugepageLimits: [{ pageSize: "2MB", limit: 209715200 }],
      memory: {
        limit: 536870912,
        reservation: 536870912,
        swap: 536870912,
        kernel: -1,
        kernelTCP: -1,
        swappiness: 0,
        disableOOMKiller: false,
        useHierarchy: false,
        checkBeforeUpdate: true,
      },
      cpu: {
        shares: 1024,
        quota: 1000000,
        burst: 1000000,
        period: 500000,
        realtimeRuntime: 950000,
        realtimePeriod: 1000000,
        cpus: "2-3",
        mems: "0-7",
        idle: 0,
      },
      devices: [
        { allow: false, access: "rwm" },
        { allow: true, type: "c", major: 10, minor: 229, access: "rw" },
      ],
      blockIO: {
        weight: 10,
        leafWeight: 10,
        weightDevice: [{ major: 8, minor: 0, weight: 500, leafWeight: 300 }],
        throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 600 }],
        throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 300 }],
      },
      rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10000 } },
      unified: { "memory.high": "1000000" },
    },
    rootfsPropagation: "slave",
    seccomp: {
      defaultAction: "SCMP_ACT_ALLOW",
      architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
      flags: ["SECCOMP_FILTER_FLAG_LOG"],
      listenerPath: "/run/agent.sock",
      listenerMetadata: "opaque",
      syscalls: [
        { names: ["getcwd", "chmod"], action: "SCMP_ACT_ERRNO", errnoRet: 1 },
        {
          names: ["clone"],
          action: "SCMP_ACT_NOTIFY",
          args: [{ index: 0, value: 2114060288, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
        },
      ],
    },
    maskedPaths: ["/proc/kcore"],
    readonlyPaths: ["/proc/sys"],
    mountLabel: "system_u:object_r:svirt_sandbox_file_t:s0:c715,c811",
    intelRdt: { closID: "guaranteed_group", l3CacheSchema: "L3:0=7f0;1=1f", memBwSchema: "MB:0=20;1=70" },
    personality: { domain: "LINUX32", flags: [] },
    netDevices: { eth0: { name: "container_eth0" } },
    memoryPolicy: { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] },
  },
};

test("everything that the specification has is read as it is", () => {
  const { value, warnings } = readConfig(JSON.stringify(FULL), "config.json");
  assert.deepEqual(value, FULL);
  assert.deepEqual(warnings, []);
});

test("fields that the specification has not are ignored with a warning", () => {
  const user = { uid: 0, gid: 0, username: "joe" };
  const { value, warnings } = readConfig(
    config({ ...inLinux({ newThing: 1 }), ...inProcess({ user }), other: {} }),
    "config.json",
  );
  assert.deepEqual(value, BASE);
  assert.deepEqual(warnings.map((each) => each.split(":")[0]).sort(), [
    "linux.newThing",
    "other",
    "process.user.username",
  ]);
});

test("null is the same as absent, and so is an empty path of a namespace", () => {
  const linux = { namespaces: [{ type: "mount", path: "" }], devices: null, seccomp: null };
  assert.deepEqual(readConfig(config({ linux, mounts: null }), "config.json").value, {
    ...BASE,
    linux: { namespaces: [{ type: "mount" }] },
  });
});

test("a process whose user is left out is root's", () => {
  for (const user of [undefined, null, {}]) {
    const process = { args: ["sh"], cwd: "/", user };
    assert.deepEqual(readConfig(config({ process }), "config.json").value.process?.user, { uid: 0, gid: 0 });
  }
});

test("numbers of 64 bits are not rounded where bits matter", () => {
  const text = config(
    inLinux({
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [
          { names: ["x"], action: "SCMP_ACT_ERRNO", args: [{ index: 1, value: "BIG", op: "SCMP_CMP_EQ" }] },
        ],
      },
    }),
  ).replace('"BIG"', "18446744073709551615");
  const { value } = readConfig(text, "config.json");
  assert.equal(value.linux?.seccomp?.syscalls?.[0]?.args?.[0]?.value, 0xffff_ffff_ffff_ffffn);
});

test("versions 1.x are read, others refused", () => {
  for (const ociVersion of ["1.0.0", "1.0.2-dev", "1.1.0-rc.3+build", "1.2.1", "1.9.0"])
    readConfig(config({ ociVersion }), "config.json");
  assert.equal(readConfig(config({ ociVersion: "1.9.0" }), "config.json").warnings.length, 1);
  for (const ociVersion of ["0.5.0", "2.0.0", "1", "", "one", undefined])
    assert.throws(
      () => readConfig(config({ ociVersion }), "config.json"),
      /Cannot use config\.json: ociVersion: /,
    );
});

/** Part of a configuration → how the refusal begins. */
const BAD: readonly (readonly [Part, string])[] = [
  [{ root: undefined }, "root: it is missing"],
  [{ root: {} }, "root.path: it is missing"],
  [{ process: undefined }, "process: it is missing"],
  [{ windows: {} }, "windows: the configuration is for another system"],
  [{ hostname: "box" }, "hostname: it would be the machine's"],
  [{ hostname: 5 }, "hostname: it must be a text, not 5"],
  [{ annotations: { "": "x" } }, "annotations: a key must not be empty"],
  [{ annotations: { a: 1 } }, "annotations.a: it must be a text"],
  [{ mounts: [{ source: "x" }] }, "mounts[0].destination: it is missing"],
  [{ mounts: [{ destination: "/x", options: ["idmap"] }] }, "mounts[0].options: idmap needs"],
  [{ mounts: [{ destination: "/x", uidMappings: [ID] }] }, "mounts[0].gidMappings: it is missing"],
  [
    { mounts: [{ destination: "/x", type: "tmpfs", uidMappings: [ID], gidMappings: [ID] }] },
    "mounts[0].uidMappings: only a bind mount can show other owners",
  ],
  [{ hooks: { poststop: [{ path: "relative" }] } }, "hooks.poststop[0].path: it must be an absolute path"],
  [
    { hooks: { poststop: [{ path: "/x", timeout: 0 }] } },
    "hooks.poststop[0].timeout: it must be a number of seconds",
  ],
  [inProcess({ args: [] }), "process.args: it must name the program"],
  [inProcess({ args: ["a\0b"] }), "process.args[0]: a text for the kernel cannot contain a NUL"],
  [inProcess({ cwd: "x" }), "process.cwd: it must be an absolute path"],
  [inProcess({ user: { uid: -1, gid: 0 } }), "process.user.uid: it must be a whole number (0 to 4294967295)"],
  [inProcess({ oomScoreAdj: 1001 }), "process.oomScoreAdj: it must be a score (-1000 to 1000)"],
  [
    inProcess({ rlimits: [{ type: "RLIMIT_CPU", soft: 2, hard: 1 }] }),
    "process.rlimits[0].soft: it cannot be above",
  ],
  [
    inProcess({
      rlimits: [
        { type: "RLIMIT_CPU", soft: 1, hard: 1 },
        { type: "RLIMIT_CPU", soft: 2, hard: 2 },
      ],
    }),
    "process.rlimits[1]: there are two limits RLIMIT_CPU",
  ],
  [
    inProcess({ ioPriority: { class: "IOPRIO_CLASS_BE", priority: 8 } }),
    "process.ioPriority.priority: it must be a level",
  ],
  [
    inProcess({ scheduler: { policy: "SCHED_FIFO" } }),
    "process.scheduler.priority: SCHED_FIFO needs a priority",
  ],
  [inProcess({ scheduler: { policy: "SCHED_OTHER", runtime: 5 } }), "process.scheduler: runtime, deadline"],
  [inProcess({ execCPUAffinity: { initial: "all" } }), "process.execCPUAffinity.initial: it must be a list"],
  [inProcess({ capabilities: ["CAP_KILL"] }), "process.capabilities: it must be an object"],
  [
    inLinux({ namespaces: [{ type: "user" }], uidMappings: [ID], gidMappings: [ID] }),
    "linux.namespaces: users of its own have no right",
  ],
  [
    inLinux({ namespaces: [], rootfsPropagation: "runbindable" }),
    "linux.rootfsPropagation: the root of a container without",
  ],
  [inLinux(withNamespaces("ipc", "ipc")), "linux.namespaces[2]: there are two of type ipc"],
  [inLinux(withNamespaces("userns")), "linux.namespaces[1].type: it must be pid, network"],
  [
    inLinux({ namespaces: [{ type: "mount", path: "x" }] }),
    "linux.namespaces[0].path: it must be an absolute path",
  ],
  [inLinux({ uidMappings: [ID] }), "linux.uidMappings: it maps the users of a user namespace"],
  [inLinux(withNamespaces("user")), "linux.uidMappings: a new user namespace needs it"],
  [
    inLinux({ ...withNamespaces("user"), uidMappings: [ID, { ...ID, hostID: 99000 }], gidMappings: [ID] }),
    "linux.uidMappings: the ranges of containerID from 0 and 0 overlap",
  ],
  [
    inLinux({ ...withNamespaces("user"), uidMappings: [{ ...ID, containerID: 1 }], gidMappings: [ID] }),
    "linux.uidMappings: the container's root (0) must be in one",
  ],
  [inLinux({ timeOffsets: { boottime: { secs: 1 } } }), "linux.timeOffsets: only new clocks can be set"],
  [
    inLinux({ timeOffsets: { boottime: { nanosecs: 1e9 } } }),
    "linux.timeOffsets.boottime.nanosecs: it must be",
  ],
  [inLinux({ devices: [{ path: "/dev/x", type: "c" }] }), "linux.devices[0]: a device needs major and minor"],
  [inLinux({ devices: [{ path: "/dev/x", type: "x" }] }), "linux.devices[0].type: it must be c, u, b or p"],
  [
    inLinux({ sysctl: { "vm.swappiness": "1" } }),
    "linux.sysctl.vm.swappiness: it belongs to the whole machine",
  ],
  [
    inLinux({ sysctl: { "net.core.somaxconn": "1" } }),
    "linux.sysctl.net.core.somaxconn: it would be the machine's",
  ],
  [inLinux({ sysctl: { "net/../kernel/panic": "1" } }), "linux.sysctl.net/../kernel/panic: it is no name"],
  [inLinux({ rootfsPropagation: "public" }), "linux.rootfsPropagation: it must be shared, slave"],
  [inLinux({ maskedPaths: ["proc"] }), "linux.maskedPaths[0]: it must be an absolute path"],
  [inLinux({ personality: { domain: "BSD" } }), "linux.personality.domain: it must be LINUX or LINUX32"],
  [inResources({ memory: { limit: "5m" } }), "linux.resources.memory.limit: it must be a number of bytes"],
  [inResources({ memory: { limit: -2 } }), "linux.resources.memory.limit: it must be a number of bytes"],
  [
    inResources({ memory: { swappiness: 101 } }),
    "linux.resources.memory.swappiness: it must be a percentage",
  ],
  [
    inResources({ hugepageLimits: [{ pageSize: "64kB", limit: 1 }] }),
    "linux.resources.hugepageLimits[0].pageSize: ",
  ],
  [inResources({ rdma: { mlx5_1: {} } }), "linux.resources.rdma.mlx5_1: it must have hcaHandles"],
  [inResources({ devices: [{ access: "rwm" }] }), "linux.resources.devices[0].allow: it is missing"],
  [
    inResources({ devices: [{ allow: true, access: "x" }] }),
    "linux.resources.devices[0].access: it must be letters",
  ],
  [
    inResources({ blockIO: { weightDevice: [{ major: 8, minor: 0 }] } }),
    "linux.resources.blockIO.weightDevice[0]: ",
  ],
  [inLinux({ seccomp: {} }), "linux.seccomp.defaultAction: it is missing"],
  [inLinux({ seccomp: { defaultAction: "ALLOW" } }), "linux.seccomp.defaultAction: it must be SCMP_ACT_KILL"],
  [
    inLinux({ seccomp: { defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_X"] } }),
    "linux.seccomp.flags[0]: it must be SECCOMP_FILTER_FLAG_TSYNC",
  ],
  [
    inLinux({ seccomp: { defaultAction: "SCMP_ACT_ALLOW", listenerMetadata: "x" } }),
    "linux.seccomp.listenerMetadata: it is for a listener",
  ],
  [
    inLinux({
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
      },
    }),
    "linux.seccomp.listenerPath: SCMP_ACT_NOTIFY needs a listener",
  ],
  [
    inLinux({
      seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: [], action: "SCMP_ACT_ERRNO" }] },
    }),
    "linux.seccomp.syscalls[0].names: it must name at least one",
  ],
];

for (const [part, begins] of BAD) {
  test(`refused: ${begins}`, () => {
    assert.throws(
      () => readConfig(config(part), "config.json"),
      (error: unknown) => {
        assert.ok(error instanceof Error);
        const start = `Cannot use config.json: ${begins}`;
        assert.equal(error.message.slice(0, start.length), start);
        assert.ok(!error.message.includes("\n"));
        return true;
      },
    );
  });
}

test("what is no configuration at all is refused in one sentence", () => {
  for (const text of ["", "{", "[]", "5", "null", '"x"'])
    assert.throws(() => readConfig(text, "config.json"), /^Refusal: Cannot (use|read) config\.json: [^\n]+$/);
  assert.throws(
    () => readConfig(new Uint8Array(17 * 1024 * 1024), "config.json"),
    /larger than 16777216 bytes/,
  );
});

test("the process of exec and the limits of update are read by the same rules", () => {
  assert.deepEqual(readExecProcess('{"cwd": "/", "args": ["ls"], "user": {}}', "process.json").value, {
    cwd: "/",
    args: ["ls"],
    user: { uid: 0, gid: 0 },
  });
  assert.throws(() => readExecProcess('{"args": ["ls"]}', "process.json"), /process\.json: process\.cwd: /);
  assert.deepEqual(readUpdate('{"pids": {"limit": 5}}', "stdin").value, { pids: { limit: 5 } });
  assert.throws(() => readUpdate('{"pids": {"limit": "5"}}', "stdin"), /stdin: resources\.pids\.limit: /);
});
