import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "../../src/cgroup/check.ts";
import { exceptionOnVersion1 } from "../../src/cgroup/device-rules.ts";
import type { Layout } from "../../src/cgroup/layout.ts";
import { parseLayout } from "../../src/cgroup/layout.ts";
import { limits } from "../../src/cgroup/limits.ts";
import type { Parent } from "../../src/cgroup/parent.ts";
import { blockWeightToIo, sharesToWeight, swapAlone } from "../../src/cgroup/weights.ts";
import type { Resources } from "../../src/oci/runtime/resources.ts";

const V2: Layout = parseLayout({
  mountinfo: "30 23 0:26 / /cg rw - cgroup2 cgroup2 rw\n",
  cgroup: "0::/\n",
  unifiedControllers: () => "cpuset cpu io memory hugetlb pids\n",
});
const FILES = [
  "cpu.weight cpu.max cpu.max.burst cpu.idle cpuset.cpus cpuset.mems memory.max memory.low memory.swap.max",
  "io.weight io.max pids.max hugetlb.2MB.max hugetlb.2MB.rsvd.max",
];
const parent = (files = FILES.join(" ")): Parent => ({
  layout: V2,
  cgroup: "/cais",
  files: new Map([["/cg", new Set(files.split(" "))]]),
  cpuset: { cpus: "0-3", mems: "0" },
});
const written = (resources: Resources, files?: string) =>
  limits(parent(files), "/cais/a", resources).writes.map(({ file, value }) => `${file.slice(11)}=${value}`);

test("v2 gets its own units", () => {
  const resources: Resources = {
    cpu: { shares: 1024, quota: 20_000, period: 100_000, burst: 5000, cpus: "0-1", mems: "0" },
    memory: { limit: 1 << 20, swap: 3 << 20, reservation: 4096 },
    pids: { limit: 7 },
    blockIO: {
      weight: 500,
      throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 4096 }],
      throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 0 }],
    },
    hugepageLimits: [{ pageSize: "2MB", limit: 2 << 20 }],
    unified: { "memory.high": "65536" },
  };
  assert.deepEqual(written(resources), [
    "cpuset.cpus=0-1",
    "cpuset.mems=0",
    "cpu.weight=100",
    "cpu.max=20000 100000",
    "cpu.max.burst=5000",
    `memory.swap.max=${2 << 20}`,
    `memory.max=${1 << 20}`,
    "memory.low=4096",
    "pids.max=7",
    "io.weight=4950",
    "io.max=8:0 rbps=4096",
    "io.max=8:0 wiops=max",
    `hugetlb.2MB.max=${2 << 20}`,
    `hugetlb.2MB.rsvd.max=${2 << 20}`,
    "memory.high=65536",
  ]);
});

test("v2 without limits says max", () => {
  assert.deepEqual(
    written({ cpu: { quota: -1 }, memory: { limit: -1 }, pids: { limit: -1 } }, "memory.swap.max"),
    ["cpu.max=max 100000", "memory.swap.max=max", "memory.max=max", "pids.max=max"],
  );
});

test("v2 uses BFQ's weight where there is one", () => {
  assert.deepEqual(written({ blockIO: { weight: 500 } }, "io.bfq.weight io.weight"), ["io.bfq.weight=500"]);
});

test("a kernel without swap is not asked to forbid it", () => {
  assert.deepEqual(written({ memory: { limit: 4096, swap: 4096 } }, "memory.max"), ["memory.max=4096"]);
});

test("v2 is entered by birth, and device rules are for a program", () => {
  const plan = limits(parent(), "/cais/a", { devices: [{ allow: false }] });
  assert.deepEqual(plan.directories, ["/cg/cais/a"]);
  assert.deepEqual(plan.attach, []);
  assert.equal(plan.unified, "/cg/cais/a");
  assert.deepEqual(plan.devices?.[0], { allow: false });
  assert.equal(plan.oom, "/cg/cais/a/memory.events");
});

test("shares, weights and swap convert as runc's do", () => {
  const pairs = [
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 2],
    [512, 59],
    [1024, 100],
    [2048, 174],
    [262_144, 10_000],
  ] as const;
  for (const [shares, weight] of pairs) assert.equal(sharesToWeight(shares), weight, `${shares}`);
  assert.deepEqual([0, 10, 500, 1000].map(blockWeightToIo), [0, 1, 4950, 10_000]);
  assert.equal(swapAlone(100, 100), "0");
  assert.equal(swapAlone(100, -1), "max");
  assert.equal(swapAlone(100, undefined), undefined);
  assert.equal(swapAlone(-1, undefined), "max");
});

test("what v2 cannot do is discarded with a sentence, or refused", () => {
  const result = check(parent(), {
    memory: { swappiness: 0, disableOOMKiller: true, kernel: 4096 },
    cpu: { realtimeRuntime: 1000 },
    network: { classID: 1 },
    hugepageLimits: [{ pageSize: "1GB", limit: 0 }],
  });
  assert.deepEqual(result.warnings, [
    "Memory swappiness is discarded: cgroup v2 has nothing like it",
    "Disabling the OOM killer is discarded: cgroup v2 has nothing like it",
    "The kernel memory limit is discarded: cgroup v2 has nothing like it",
  ]);
  assert.deepEqual(result.errors, [
    "The realtime CPU time cannot be set: cgroup v2 has nothing like it",
    "The network class cannot be set: no cgroup tree has the net_cls controller (looked in /cg)",
    "The limit of 1GB pages cannot be set: this kernel has no hugetlb.1GB.max in /cg/cais",
  ]);
});

test("contradictions are errors", () => {
  const errors = (resources: Resources) => check(parent(), resources).errors;
  assert.match(errors({ memory: { swap: 100 } })[0] ?? "", /needs memory.limit/);
  assert.match(
    errors({ memory: { limit: 200, swap: 100 } })[0] ?? "",
    /cannot be below memory.limit \(200\)/,
  );
  assert.match(errors({ cpu: { cpus: "2-9" } })[0] ?? "", /is not all available; there are 0-3/);
  assert.match(errors({ cpu: { cpus: "a" } })[0] ?? "", /is not a list like 0-3,7/);
  assert.match(errors({ cpu: { period: 10 } })[0] ?? "", /between 1000 and 1000000/);
  for (const name of ["../x", "cgroup.procs", "a/b.c", "x"])
    assert.match(errors({ unified: { [name]: "1" } })[0] ?? "", /is no limit/);
});

test("version 1 would take other shares than were asked for", () => {
  const layout = parseLayout({
    mountinfo: "30 23 0:26 / /cg/cpu rw - cgroup cgroup rw,cpu\n",
    cgroup: "1:cpu:/\n",
    unifiedControllers: () => "",
  });
  const version1: Parent = { ...parent(), layout, files: new Map([["/cg/cpu", new Set(["cpu.shares"])]]) };
  const errors = (shares: number) => check(version1, { cpu: { shares } }).errors;
  assert.deepEqual(errors(1), ["the minimum allowed cpu-shares is 2"]);
  assert.deepEqual(errors(262_145), ["the maximum allowed cpu-shares is 262144"]);
  assert.deepEqual([errors(2), errors(262_144)], [[], []]);
  assert.deepEqual(check(parent(), { cpu: { shares: 1 } }).errors, []);
});

test("every container may use the default devices, whatever its rules forget", () => {
  const rules = (devices: Resources["devices"]) =>
    limits(parent(), "/cais/a", { devices: devices ?? [] }).devices;
  const bare = rules([{ allow: false, access: "rwm" }]) ?? [];
  for (const [major, minor] of [
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 2],
    [136, undefined],
  ])
    assert.ok(
      bare.some((rule) => rule.allow && rule.major === major && rule.minor === minor),
      `${major}:${minor}`,
    );
  // What is named already is not named twice, and what a later rule for everything overrules is left out.
  const null_ = { allow: true, type: "c", major: 1, minor: 3, access: "rwm" } as const;
  assert.equal(rules([null_, { allow: false }, null_])?.length, bare.length);
  assert.deepEqual(rules([null_, { allow: true, access: "rwm" }]), [{ allow: true, access: "rwm" }]);
});

test("on version 1 an exception from a wider rule is an error: it would have no effect", () => {
  const rule = (allow: boolean, major: number, minor: number, access = "rwm", type: "b" | "c" = "b") => ({
    ...{ allow, type, major, minor, access },
  });
  for (const rules of [
    [rule(true, 8, -1), rule(false, 8, 1, "w")],
    [rule(true, 8, 1), rule(false, 8, -1)],
    [{ allow: true, access: "rw" }, rule(false, 8, 1, "w")],
    [{ allow: true }, rule(false, 8, -1), rule(true, 8, 1, "r")],
  ])
    assert.ok(exceptionOnVersion1(rules) !== undefined, JSON.stringify(rules));
  for (const rules of [
    [],
    [{ allow: false, access: "rwm" }, rule(true, 8, -1), rule(true, 8, 1)],
    [rule(true, 8, 1), rule(false, 8, 1, "w")],
    [rule(true, 8, -1, "r"), rule(false, 8, 1, "w")],
    [rule(true, 8, -1), rule(false, 8, 1, "w", "c")],
    [rule(true, 8, -1), rule(false, 8, 1, "w"), { allow: true }, rule(false, 7, 1)],
    [rule(true, 8, 1, "rw"), rule(false, 8, 1, "rw"), rule(false, 8, -1)],
  ])
    assert.equal(exceptionOnVersion1(rules), undefined, JSON.stringify(rules));
});
