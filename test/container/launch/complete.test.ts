import assert from "node:assert/strict";
import { test } from "node:test";
import { readLayout } from "../../../src/cgroup/layout.ts";
import { launchPlan } from "../../../src/container/launch/plan.ts";
import { readConfig } from "../../../src/oci/runtime/config.ts";
import { compile } from "../../../src/plan/compile.ts";
import { describeStep } from "../../../src/plan/describe.ts";
import { explain, explainSteps } from "../../../src/plan/explain.ts";

// A configuration with everything in it becomes a plan that can be told and compiled, for both architectures.

const ID = [{ containerID: 0, hostID: 1000, size: 32000 }];
const HOOK = [{ path: "/usr/bin/hook", args: ["hook", "x"], timeout: 5 }];

const CONFIG = {
  ociVersion: "1.2.0",
  root: { path: "rootfs", readonly: true },
  hostname: "box",
  domainname: "example.test",
  annotations: { "com.example": "1" },
  mounts: [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["mode=755"] },
    { destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance"] },
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"] },
    {
      destination: "/data",
      source: "data",
      options: ["rbind", "ridmap", "rro"],
      uidMappings: ID,
      gidMappings: ID,
    },
    { destination: "/disk", type: "ext4", source: "/dev/sdx", options: ["noatime"] },
    { destination: "/up", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] },
    { destination: "/up", type: "tmpfs", source: "tmpfs", options: ["remount", "ro"] },
  ],
  hooks: {
    prestart: HOOK,
    createRuntime: HOOK,
    createContainer: HOOK,
    startContainer: HOOK,
    poststart: HOOK,
    poststop: HOOK,
  },
  process: {
    user: { uid: 1, gid: 1, umask: 63, additionalGids: [5, 6] },
    args: ["sh"],
    cwd: "/work",
    capabilities: { bounding: ["CAP_KILL"], ambient: ["CAP_KILL"] },
    rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
    noNewPrivileges: true,
    oomScoreAdj: 100,
    ioPriority: { class: "IOPRIO_CLASS_RT", priority: 4 },
    scheduler: {
      policy: "SCHED_DEADLINE",
      flags: ["SCHED_FLAG_RECLAIM"],
      runtime: 1,
      deadline: 2,
      period: 3,
    },
  },
  linux: {
    namespaces: [
      { type: "pid", path: "/proc/1/ns/pid" },
      { type: "user", path: "/proc/1/ns/user" },
      { type: "network", path: "/proc/1/ns/net" },
      { type: "mount" },
      { type: "time" },
      { type: "uts" },
    ],
    timeOffsets: { boottime: { secs: 5 } },
    devices: [{ path: "/dev/x", type: "b", major: 8, minor: 1, uid: 1 }],
    sysctl: { "net.ipv4.ip_forward": "1" },
    seccomp: {
      defaultAction: "SCMP_ACT_ALLOW",
      flags: ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
      listenerPath: "/run/agent.sock",
      syscalls: [{ names: ["mknod"], action: "SCMP_ACT_NOTIFY" }],
    },
    rootfsPropagation: "slave",
    maskedPaths: ["/proc/kcore"],
    readonlyPaths: ["/proc/sys"],
    personality: { domain: "LINUX32" },
    memoryPolicy: { mode: "MPOL_BIND", nodes: "0-1", flags: ["MPOL_F_STATIC_NODES"] },
  },
};

for (const arch of ["x86_64", "aarch64"] as const) {
  test(`everything at once is a plan for ${arch}, each step with its words`, () => {
    const { value: spec } = readConfig(JSON.stringify(CONFIG), "config.json");
    const plan = launchPlan({
      spec,
      origins: new Map(),
      rootfs: { kind: "directory", path: "/bundle/rootfs" },
      cgroups: { cgroup: "/c", directories: [], writes: [], attach: [] },
      trees: readLayout().hierarchies,
      runDir: "/run/x",
      reports: "/run/reports",
      rootPlace: "/run/place",
      token: new Uint8Array(16),
      stdin: false,
      init: false,
      bundle: { id: "x", path: "/bundle", root: "/bundle/rootfs", hookOutput: "/run/hooks" },
      isDirectory: () => true,
      arch,
    });
    const program = compile(plan, { arch });
    assert.equal(new DataView(program.elf.buffer).getUint16(18, true), { x86_64: 62, aarch64: 183 }[arch]);
    // What is explained has the numbers that errors use.
    const steps = explainSteps(plan);
    const numbered = program.steps.filter(({ step }) => !["load", "store", "decimal"].includes(step.kind));
    assert.equal(steps.length, numbered.length);
    for (const [index, { step }] of numbered.entries()) {
      if (step.kind !== "message") assert.equal(steps[index]?.text, describeStep(step as never));
      assert.ok(step.why.length > 3, describeStep(step as never));
    }
    const text = explain(plan);
    for (const word of [
      "run the createRuntime hook /usr/bin/hook",
      'execve("/usr/bin/hook", ["hook", "x"]), wait4, at most 5 s',
      "join the user namespace",
      "clone3(CLONE_NEWUSER), write maps, open its namespace",
      "hand system calls to the listener of the policy",
      "schedule it by SCHED_DEADLINE",
      "choose the memory nodes it uses",
    ])
      assert.ok(text.includes(word), word);
  });
}
