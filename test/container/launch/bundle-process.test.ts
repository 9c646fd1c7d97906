import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { after, before, test } from "node:test";
import { RLIMITS } from "../../../src/kernel/rlimits.ts";
import { busyboxMissing } from "../../support/fixtures.ts";
import { needs, program, root } from "../../support/skip.ts";
import { type BundleScene, type Change, makeBundle, NAMESPACES } from "./bundle.ts";
import { makeScene, type Scene } from "./scene.ts";

// Processes of bundles are as runc's: the same /proc/self/status, the same limits.

const can = { ...needs(root(), busyboxMissing(), program("runc")), timeout: 30_000 };
let scene: Scene;
let bundle: BundleScene;

before(async () => {
  if (can.skip !== undefined) return;
  scene = await makeScene();
  bundle = makeBundle(scene);
});
after(() => scene?.[Symbol.asyncDispose]());

const STATUS =
  "grep -e ^Cap -e ^Uid -e ^Gid -e ^Groups -e ^NoNew -e ^Seccomp: -e ^Umask /proc/self/status; cat /proc/self/oom_score_adj";

const SETS: Readonly<Record<string, Change>> = {
  "root with some capabilities": {},
  "a user with groups and a umask": {
    process: { user: { uid: 1000, gid: 1001, umask: 0o027, additionalGids: [5, 6, 7] } },
  },
  "all five sets": {
    process: {
      user: { uid: 1000, gid: 1000 },
      capabilities: {
        bounding: ["CAP_KILL", "CAP_CHOWN", "CAP_NET_RAW"],
        permitted: ["CAP_KILL", "CAP_CHOWN"],
        effective: ["CAP_KILL"],
        inheritable: ["CAP_KILL", "CAP_CHOWN"],
        ambient: ["CAP_KILL"],
      },
    },
  },
  "no capabilities at all": { process: { capabilities: {} } },
  "an unknown capability": {
    process: {
      capabilities: {
        bounding: ["CAP_KILL", "CAP_FUTURE"],
        permitted: ["CAP_KILL"],
        effective: ["CAP_KILL"],
      },
    },
  },
  "no new privileges": { process: { noNewPrivileges: true, oomScoreAdj: 123 } },
  "a policy": {
    linux: {
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["swapon"], action: "SCMP_ACT_ERRNO" }],
      },
    },
  },
};

for (const [name, change] of Object.entries(SETS)) {
  test(`${name}: the status is as runc's`, can, async () => {
    const peer = bundle.runc(STATUS, change);
    assert.equal(peer.status, 0, peer.stderr);
    assert.equal(await bundle.print(STATUS, change), peer.stdout);
  });
}

test("every resource limit", can, async () => {
  // Below what a machine has by itself: raising a hard limit takes a capability that tests may not have.
  const small = Object.keys(RLIMITS).map((type, index) => {
    if (/NICE|RTPRIO/.test(type)) return { type, soft: 0, hard: 0 };
    if (/AS|DATA|STACK|FSIZE|RSS/.test(type)) return { type, soft: 2 ** 33, hard: 2 ** 52 };
    return { type, soft: 1000 + index, hard: 2000 + index };
  });
  const change = { process: { rlimits: small } };
  const peer = bundle.runc("cat /proc/self/limits", change);
  assert.equal(await bundle.print("cat /proc/self/limits", change), peer.stdout, peer.stderr);
  await assert.rejects(
    bundle.start("true", { process: { rlimits: [{ type: "RLIMIT_FUTURE", soft: 1, hard: 1 }] } }),
    /RLIMIT_FUTURE: the kernel has no such limit/,
  );
});

test("scheduling, turn at the disks, personality", can, async () => {
  // /proc/self/stat (proc(5)): nice is field 19, rt_priority 40, policy 41.
  const stat = "set -- $(cut -d')' -f2 /proc/self/stat); shift; echo $16 $37 $38".replaceAll(
    /\$(\d\d)/g,
    "$${$1}",
  );
  const scheduled = (scheduler: NonNullable<Change["process"]>["scheduler"]) =>
    bundle.print(stat, { process: { scheduler: scheduler! } });
  assert.equal(await scheduled({ policy: "SCHED_BATCH", nice: 7 }), "7 0 3\n");
  assert.equal(await scheduled({ policy: "SCHED_IDLE" }), "0 0 5\n");
  assert.equal(
    await scheduled({ policy: "SCHED_OTHER", nice: -5, flags: ["SCHED_FLAG_RESET_ON_FORK"] }),
    "0 0 0\n",
  );
  await assert.rejects(
    scheduled({ policy: "SCHED_ISO" }),
    /schedule it by SCHED_ISO: sched_setattr: invalid argument/,
  );
  await assert.rejects(
    scheduled({ policy: "SCHED_OTHER", flags: ["SCHED_FLAG_X"] }),
    /process\.scheduler\.flags: there is no SCHED_FLAG_X/,
  );
  assert.equal(
    await bundle.print("ionice", { process: { ioPriority: { class: "IOPRIO_CLASS_BE", priority: 6 } } }),
    "best-effort: prio 6\n",
  );
  assert.equal(
    await bundle.print("ionice", { process: { ioPriority: { class: "IOPRIO_CLASS_IDLE" } } }),
    "idle\n",
  );
  const machine = await bundle.print("uname -m", { linux: { personality: { domain: "LINUX32" } } });
  assert.equal(machine, process.arch === "x64" ? "i686\n" : "armv8l\n");
});

test("a real-time policy, where the cgroup has real-time to give", can, async () => {
  const started = await bundle
    .do("grep -c . /proc/self/sched_absent 2>/dev/null; chrt -p 1 2>/dev/null | head -1", {
      process: { scheduler: { policy: "SCHED_FIFO", priority: 9 } },
    })
    .catch((error: unknown) => String(error));
  if (typeof started === "string")
    assert.match(started, /schedule it by SCHED_FIFO: .*real-time policies need/);
  else assert.match(started.stdout, /SCHED_FIFO/);
});

test("processors of an exec: where it begins and where it stays", {
  ...can,
  ...needs(availableParallelism() < 2 ? "one processor" : undefined),
}, async () => {
  const container = await bundle.start("exec sleep 1000");
  try {
    const allowed = async (execCPUAffinity: { initial?: string; final?: string }) => {
      const run = await scene.exec(container, ["grep", "Cpus_allowed_list", "/proc/self/status"], {
        execCPUAffinity,
      });
      assert.match(readFileSync(`/proc/${run.keeper.pid}/status`, "utf8"), /Cpus_allowed_list:\t0-/);
      return (await scene.finish(run)).stdout.trim().split("\t")[1];
    };
    const all = /Cpus_allowed_list:\t(.*)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    assert.equal(await allowed({ initial: "1" }), all);
    assert.equal(await allowed({ initial: "1", final: "0" }), "0");
    assert.equal(await allowed({ final: "1" }), "1");
    await assert.rejects(allowed({ final: "0-x" }), /process\.execCPUAffinity\.final: 0-x is no list/);
  } finally {
    container.signal(9);
    await scene.finish(container);
  }
});

test("masked and read-only paths, sysctls, names: as runc's", can, async () => {
  const change: Change = {
    linux: {
      maskedPaths: ["/proc/keys", "/proc/acpi", "/bin", "/etc/passwd", "/no/such/path"],
      readonlyPaths: ["/proc/sys", "/tmp", "/no/such/path"],
      sysctl: { "net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1", "kernel/msgmax": "5000" },
    },
    more: { domainname: "example.test", hostname: "näme" },
    process: {
      args: [
        "/busybox",
        "sh",
        "-c",
        "cat /etc/passwd /proc/keys; ls /bin; touch /tmp/x; cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced /proc/sys/kernel/msgmax /proc/sys/kernel/domainname /proc/sys/kernel/hostname; echo 0 >/proc/sys/kernel/msgmax",
      ],
    },
    mounts: [{ destination: "/busybox", type: "bind", source: "/bin/busybox", options: ["bind"] }],
  };
  const words = (change.process?.args?.[3] ?? "").replace(/\b(cat|ls|touch) /g, "/busybox $1 ");
  const { exit, stdout } = await bundle.do("", {
    ...change,
    process: { args: ["/busybox", "sh", "-c", words] },
  });
  assert.notEqual(exit.code, 0);
  assert.equal(stdout, "1\n1\n5000\nexample.test\nnäme\n");
});

test("the root is read-only, and shared or unbindable as asked for", can, async () => {
  const change: Change = { root: { readonly: true } };
  assert.equal((await bundle.do("touch /x", change)).exit.code, 1);
  for (const [rootfsPropagation, shown] of [
    ["private", ""],
    ["unbindable", "unbindable"],
    ["shared", "shared"],
  ] as const) {
    const look = "grep ' / / ' /proc/self/mountinfo | cut -d' ' -f7 | sed 's/:.*//; s/^-$//'";
    const mine = await bundle.print(look.replace("' / / '", "' /.*rootfs / '"), {
      linux: { rootfsPropagation },
    });
    assert.equal(mine.trim(), shown, rootfsPropagation);
  }
});

test("the network of the machine, without a namespace of its own", can, async () => {
  const namespaces = NAMESPACES.filter((type) => type !== "network");
  assert.equal(
    await bundle.print("readlink /proc/self/ns/net", { namespaces }),
    `${await import("node:fs").then(({ readlinkSync }) => readlinkSync("/proc/self/ns/net"))}\n`,
  );
});
