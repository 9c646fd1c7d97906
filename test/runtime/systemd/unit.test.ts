import assert from "node:assert/strict";
import { test } from "node:test";
import { annotated } from "../../../src/runtime/systemd/annotations.ts";
import { decodeMessage, encodeCall } from "../../../src/runtime/systemd/message.ts";
import { limitProperties } from "../../../src/runtime/systemd/properties.ts";
import { placeOfScope } from "../../../src/runtime/systemd/unit.ts";

test("a cgroupsPath for systemd names a slice and a scope in it", () => {
  const cgroups: Readonly<Record<string, string>> = {
    "": "/system.slice/cais-id.scope",
    ":docker:one": "/system.slice/docker-one.scope",
    "-:p:n": "/p-n.scope",
    "-.slice:p:n": "/p-n.scope",
    "machine.slice:libpod:x": "/machine.slice/libpod-x.scope",
    "kubepods-burstable-pod1_2.slice:cri-containerd:abc":
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-abc.scope",
  };
  for (const [path, cgroup] of Object.entries(cgroups)) assert.equal(placeOfScope(path, "id").cgroup, cgroup);
  for (const path of [
    "/own/one",
    "a:b",
    "a.slice:b:c:d",
    "user.slice/user-1000.slice:p:n",
    "..:p:n",
    "a--b.slice:p:n",
    "machine.slice:p:../../etc",
    "machine.slice:p:inner.slice",
    "machine.slice:p:",
    `machine.slice:p:${"n".repeat(300)}`,
  ])
    assert.throws(() => placeOfScope(path, "id"), /cgroupsPath/, path);
});

test("annotations are properties of the unit", () => {
  const prefix = "org.systemd.property.";
  assert.deepEqual(
    annotated({
      [`${prefix}TimeoutStopSec`]: "uint32 7",
      [`${prefix}CollectMode`]: "'inactive-or-failed'",
      [`${prefix}SendSIGHUP`]: "true",
      [`${prefix}KillSignal`]: "37",
      [`${prefix}After`]: "[\"a.service\", 'b.service']",
      "io.podman.annotations": "no concern of ours",
    }),
    [
      ["TimeoutStopUSec", { type: "t", value: 7_000_000n }],
      ["CollectMode", { type: "s", value: "inactive-or-failed" }],
      ["SendSIGHUP", { type: "b", value: true }],
      ["KillSignal", { type: "i", value: 37n }],
      ["After", { type: "as", value: ["a.service", "b.service"] }],
    ],
  );
  for (const [name, value] of [
    ["Foo", "yes please"],
    ["Foo", "uint32 -1"],
    ["Foo", "byte 256"],
    ["Bad Name", "true"],
    ["Foo", "[1, 2]"],
  ])
    assert.throws(() => annotated({ [`${prefix}${name}`]: value ?? "" }), /Cannot use annotation/);
});

test("systemd is told what is written, and no more than it can say", () => {
  const write = (file: string, value: string) => ({ file: `/sys/fs/cgroup/x/${file}`, value, field: "" });
  const writes = [
    write("memory.max", "max"),
    write("cpu.max", "33333 100000"),
    write("cpuset.cpus", "0,9-10"),
    write("io.max", "8:0 rbps=1"),
    write("memory.max", "4096"),
  ];
  assert.deepEqual(limitProperties({ writes }), [
    ["MemoryMax", { type: "t", value: 4096n }],
    ["CPUQuotaPeriodUSec", { type: "t", value: 100_000n }],
    // Whole per cent, rounded up.
    ["CPUQuotaPerSecUSec", { type: "t", value: 340_000n }],
    ["AllowedCPUs", { type: "ay", value: [1, 6] }],
  ]);
  const denied = { allow: false } as const;
  const some = { allow: true, type: "c", major: 10, minor: 229, access: "rw" } as const;
  assert.deepEqual(limitProperties({ writes: [], devices: [denied, some] }), [
    ["DevicePolicy", { type: "s", value: "strict" }],
    ["DeviceAllow", { type: "a(ss)", value: [["/dev/char/10:229", "rw"]] }],
  ]);
  assert.deepEqual(
    limitProperties({ writes: [], devices: [{ allow: true }, { ...some, allow: false }] }),
    [],
  );
  assert.deepEqual(limitProperties({ writes: [], devices: [denied, { ...some, major: -1 }] }), []);
});

test("what is no message of D-Bus is refused, what is incomplete waited for", () => {
  const call = encodeCall(
    {
      destination: "a.b",
      path: "/a",
      interface: "a.b",
      member: "M",
      signature: "sa(sv)",
      body: ["x", [["P", { type: "at", value: [1n, 2n ** 64n - 1n] }]]],
    },
    7,
  );
  const bytes = Buffer.from(call);
  for (let length = 0; length < bytes.length; length++)
    assert.equal(decodeMessage(bytes.subarray(0, length)), undefined);
  const { length, message } = decodeMessage(Buffer.concat([bytes, bytes])) ?? {};
  assert.equal(length, bytes.length);
  assert.deepEqual(message?.body, ["x", [["P", [1n, 2n ** 64n - 1n]]]]);
  const huge = Buffer.from(bytes);
  huge.writeUInt32LE(0x7fffffff, 4);
  assert.throws(() => decodeMessage(huge), /no message/);
  for (let at = 16; at < bytes.length; at++)
    for (const value of [0, 0x61, 0xff]) {
      const broken = Buffer.from(bytes);
      broken[at] = value;
      try {
        decodeMessage(broken);
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }
});
