import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { check } from "../../../src/cgroup/check.ts";
import { readLayout } from "../../../src/cgroup/layout.ts";
import { limits } from "../../../src/cgroup/limits.ts";
import type { Parent } from "../../../src/cgroup/parent.ts";
import { features } from "../../../src/container/launch/features.ts";
import { kernelIs, refuseImpossible } from "../../../src/container/launch/machine.ts";
import type { Resources } from "../../../src/oci/runtime/resources.ts";
import type { RuntimeSpec } from "../../../src/oci/runtime/spec.ts";
import { needs, program } from "../../support/skip.ts";

// What a machine cannot do is refused by the name of its field; features says what can be asked for.

const NOTHING = { apparmor: false, selinux: false };
const ALL = { apparmor: true, selinux: true };

const spec = (more: Partial<RuntimeSpec> = {}, linux: RuntimeSpec["linux"] = {}): RuntimeSpec => ({
  ociVersion: "1.2.0",
  root: { path: "rootfs" },
  process: { user: { uid: 0, gid: 0 }, args: ["sh"], cwd: "/" },
  ...more,
  linux: { namespaces: [{ type: "mount" }], ...linux },
});
const withProcess = (process: Partial<NonNullable<RuntimeSpec["process"]>>) =>
  spec({ process: { ...spec().process!, ...process } });

const SAME_NETWORK = { type: "network", path: "/proc/self/ns/net" } as const;

const REFUSED: readonly (readonly [RuntimeSpec, string])[] = [
  [spec({}, { intelRdt: { closID: "x" } }), "linux.intelRdt: classes of cache"],
  [spec({}, { personality: { domain: "LINUX", flags: ["X"] } }), "linux.personality.flags: "],
  [spec({}, { mountLabel: "a:b:c" }), "linux.mountLabel: this machine has no SELinux"],
  [withProcess({ selinuxLabel: "a:b:c" }), "process.selinuxLabel: this machine has no SELinux"],
  [withProcess({ apparmorProfile: "mine" }), "process.apparmorProfile: this machine has no AppArmor"],
  [
    spec({}, { namespaces: [SAME_NETWORK], sysctl: { "net.ipv4.ip_forward": "1" } }),
    "linux.sysctl.net.ipv4.ip_forward: it would be the machine's",
  ],
  [
    spec({ hostname: "box" }, { namespaces: [{ type: "uts", path: "/proc/self/ns/uts" }] }),
    "hostname: it would be the machine's",
  ],
  [
    withProcess({ rlimits: [{ type: "RLIMIT_X", soft: 1, hard: 1 }] }),
    "process.rlimits[0].type: the kernel has no limit RLIMIT_X",
  ],
];

test("what this machine or this program cannot do is refused by name", () => {
  for (const [each, begins] of REFUSED)
    assert.throws(
      () => refuseImpossible(each, NOTHING),
      (error: unknown) => error instanceof Error && error.message.startsWith(begins),
      begins,
    );
  assert.deepEqual(refuseImpossible(withProcess({ apparmorProfile: "unconfined" }), NOTHING), []);
  assert.deepEqual(refuseImpossible(withProcess({ apparmorProfile: "mine", selinuxLabel: "x" }), ALL), []);
});

test("what has no effect in a mount namespace of others is a warning", () => {
  for (const namespaces of [[], [{ type: "mount", path: "/proc/1/ns/mnt" }] as const])
    assert.match(refuseImpossible(spec({}, { namespaces }), NOTHING).join(), /no set-user-ID bit/);
});

test("an unknown capability is a warning that names it", () => {
  const capabilities = { bounding: ["CAP_KILL", "CAP_FUTURE"], ambient: ["cap_kill"] };
  assert.deepEqual(refuseImpossible(withProcess({ capabilities }), NOTHING), [
    "process.capabilities.bounding: this kernel has no CAP_FUTURE; it is ignored",
    "process.capabilities.ambient: this kernel has no cap_kill; it is ignored",
  ]);
});

test("versions of kernels compare as numbers", () => {
  for (const version of ["5.19.0", "5.20.1-generic", "6.1.0-13-amd64", "10.0"])
    assert.ok(kernelIs(5, 19, version));
  for (const version of ["5.4.0-150-generic", "5.18.19", "4.19.0"]) assert.ok(!kernelIs(5, 19, version));
});

test("features has what runc's has, and no more than there is", needs(program("runc")), () => {
  const mine = features() as Record<string, unknown> & {
    readonly mountOptions: readonly string[];
    readonly hooks: readonly string[];
    readonly linux: {
      readonly capabilities: readonly string[];
      readonly seccomp: { readonly actions: readonly string[] };
    };
  };
  const { status, stdout } = spawnSync("runc", ["features"], { encoding: "utf8" });
  if (status === 0) {
    const peer = JSON.parse(stdout) as typeof mine;
    for (const word of peer.mountOptions) assert.ok(mine.mountOptions.includes(word), word);
    assert.deepEqual(mine.hooks, peer.hooks);
    for (const action of peer.linux.seccomp.actions)
      assert.ok(mine.linux.seccomp.actions.includes(action), action);
  }
  const last = Number(readFileSync("/proc/sys/kernel/cap_last_cap", "utf8"));
  assert.equal(mine.linux.capabilities.length, last + 1);
  assert.match(String(mine.ociVersionMax), /^1\.\d+\.\d+$/);
});

const HERE: Parent = { layout: readLayout(), cgroup: "/", files: new Map() };

test("resources that the kernel has no file for are refused by name where nothing may be left out", () => {
  const asked: readonly (readonly [Resources, string])[] = [
    [{ memory: { swappiness: 5 } }, "linux.resources.memory.swappiness: it cannot be set"],
    [{ cpu: { burst: 5 } }, "linux.resources.cpu.burst: it cannot be set"],
    [{ rdma: { mlx5_1: { hcaHandles: 3 } } }, "linux.resources.rdma: it cannot be set"],
    [{ blockIO: { leafWeight: 10 } }, "linux.resources.blockIO.leafWeight: it cannot be set"],
  ];
  for (const [resources, begins] of asked) {
    const { errors } = check(HERE, resources, "strict");
    assert.equal(errors.length, 1);
    assert.ok(errors.join().startsWith(begins), errors.join());
  }
  const obsolete = check(HERE, { memory: { kernel: 5000 } }, "strict");
  assert.deepEqual([obsolete.errors.length, obsolete.warnings.length], [0, 1]);
});

test("RDMA and leaf weights are written where there is something for them", () => {
  const tree = {
    version: 1,
    path: "/sys/fs/cgroup/x",
    root: "/",
    controllers: ["rdma", "blkio"],
    own: "/",
  } as const;
  const parent: Parent = {
    layout: {
      mode: "v1",
      hierarchies: [tree],
      controllers: new Map([
        ["rdma", tree],
        ["blkio", tree],
      ]),
    },
    cgroup: "/",
    files: new Map([[tree.path, new Set(["rdma.max", "blkio.leaf_weight_device", "blkio.weight"])]]),
  };
  const { writes } = limits(parent, "/c", {
    rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10000 }, rxe3: { hcaObjects: 5 } },
    blockIO: { weightDevice: [{ major: 8, minor: 0, leafWeight: 300 }] },
  });
  assert.deepEqual(
    writes.map(({ file, value }) => [file.split("/").at(-1), value]),
    [
      ["blkio.leaf_weight_device", "8:0 300"],
      ["rdma.max", "mlx5_1 hca_handle=3 hca_object=10000"],
      ["rdma.max", "rxe3 hca_object=5"],
    ],
  );
});
