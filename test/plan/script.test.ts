import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { LaunchRequest } from "../../src/container/launcher.ts";
import type { Linux } from "../../src/oci/runtime/linux.ts";
import type { Mount, Process, RuntimeSpec } from "../../src/oci/runtime/spec.ts";
import { call, close, from, num, str } from "../../src/plan/build.ts";
import { script } from "../../src/plan/script/script.ts";
import type { Step } from "../../src/plan/step.ts";
import { CURRENT_MOUNT, installMount } from "../../tools/peers/packages.ts";
import { MOUNTS } from "../container/launch/scene.ts";
import { command } from "../support/cais.ts";
import { needs } from "../support/skip.ts";
import { openScene, PROBE, type View } from "./script-scene.ts";

const CAPABILITIES = [
  "CAP_CHOWN",
  "CAP_SETUID",
  "CAP_SETGID",
  "CAP_KILL",
  "CAP_NET_BIND_SERVICE",
  "CAP_DAC_OVERRIDE",
];

interface Parts {
  readonly process?: Partial<Process>;
  readonly linux?: Partial<Linux>;
  readonly mounts?: readonly Mount[];
  readonly rest?: Partial<RuntimeSpec>;
}

function spec({ process = {}, linux = {}, mounts = [], rest = {} }: Parts): RuntimeSpec {
  return {
    ociVersion: "1.2.0",
    root: { path: "rootfs" },
    hostname: "box",
    mounts: [...MOUNTS, ...mounts],
    process: {
      user: { uid: 0, gid: 0 },
      args: ["sh", "-c", PROBE],
      env: ["PATH=/bin", "HOME=/root"],
      cwd: "/",
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
      ...process,
    },
    linux: {
      namespaces: (["pid", "network", "mount", "ipc", "uts", "cgroup"] as const).map((type) => ({ type })),
      resources: {},
      maskedPaths: [
        "/proc/kcore",
        "/proc/keys",
        "/proc/timer_list",
        "/proc/acpi",
        "/proc/scsi",
        "/sys/firmware",
      ],
      readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
      ...linux,
    },
    ...rest,
  };
}

let scene: Awaited<ReturnType<typeof openScene>>;
before(async () => {
  scene = await openScene();
  mkdirSync(join(scene.base, "shared/below"), { recursive: true });
  writeFileSync(join(scene.base, "shared/file"), "from the host\n");
});
after(() => scene.close());

/** Subject by subject, so that a difference is short. */
function assertSame(scripted: View, launched: View): void {
  assert.deepEqual(Object.keys(scripted), Object.keys(launched));
  for (const [subject, said] of Object.entries(launched)) assert.equal(scripted[subject], said, subject);
}

/** Make the container both ways; what each says about itself must be the same. */
async function same(parts: Parts, extra: Partial<LaunchRequest> = {}) {
  const launched = await scene.launched(spec(parts), extra);
  const scripted = await scene.scripted(spec(parts), extra);
  assertSame(scripted, launched);
  return launched;
}

test("a plain container by hand is the one that is launched", async () => {
  const view = await same({});
  assert.match(
    view.namespaces ?? "",
    /pid:\[own\]\ntime:\[\d+\] of the host\nuser:\[\d+\] of the host\nuts:\[own\]/,
  );
  assert.match(view.hostname ?? "", /^box\n/);
  assert.match(view.processes ?? "", /^ +1 +0 sh\n/);
  assert.match(view.mounts ?? "", /^\/ overlay rw/m);
  assert.match(view.devices ?? "", /crw-rw-rw- .* 1, +3 null/);
});

test("limits of memory, processor and processes are the same", async () => {
  const { values = "" } = await same({
    linux: {
      resources: { memory: { limit: 50331648 }, cpu: { quota: 20000, period: 100000 }, pids: { limit: 40 } },
    },
  });
  assert.deepEqual(values.split("\n").sort(), ["", "0", "100000", "20000", "40", "50331648"]);
});

test("a read-only root, a tmpfs and read-only and recursive binds are the same", async () => {
  const { mounts = "", writable } = await same({
    rest: { root: { path: "rootfs", readonly: true } },
    mounts: [
      {
        destination: "/tmp",
        type: "tmpfs",
        source: "tmpfs",
        options: ["nosuid", "nodev", "noexec", "size=1m"],
      },
      {
        destination: "/mnt",
        type: "bind",
        source: join(scene.base, "shared"),
        options: ["rbind", "ro", "nosuid", "rprivate"],
      },
      {
        destination: "/etc/hostname",
        type: "bind",
        source: join(scene.base, "shared/file"),
        options: ["bind", "rslave"],
      },
    ],
  });
  assert.match(mounts, /^\/ overlay ro/m);
  assert.match(mounts, /^\/mnt \w+ ro,nosuid/m);
  assert.match(mounts, /^\/etc\/hostname \w+ rw/m);
  assert.equal(writable, "/tmp\n/dev\n");
});

test("a user with groups and ambient capabilities, in a directory with an environment, is the same", async () => {
  const capabilities = {
    bounding: CAPABILITIES,
    inheritable: ["CAP_CHOWN", "CAP_KILL"],
    permitted: CAPABILITIES,
    effective: CAPABILITIES,
    ambient: ["CAP_CHOWN", "CAP_KILL"],
  };
  const view = await same({
    process: {
      user: { uid: 1000, gid: 1001, additionalGids: [5, 44, 100] },
      capabilities,
      noNewPrivileges: true,
      cwd: "/srv/a b",
      env: ["PATH=/bin", 'QUOTED=it\'s "so" $HOME `id`\n2', "EMPTY="],
    },
  });
  assert.match(
    view.privileges ?? "",
    /Uid:\t1000\t1000\t1000\t1000\nGid:\t1001\t1001\t1001\t1001\nGroups:\t5 44 100 \n/,
  );
  assert.match(view.privileges ?? "", /CapEff:\t0000000000000021\n/);
  assert.match(view.privileges ?? "", /NoNewPrivs:\t1/);
  assert.equal(view.directory, "/srv/a b\n");
  assert.match(view.environment ?? "", /QUOTED=it's "so" \$HOME `id`\n2\nEMPTY=\n/);
});

test("host name, domain, resource limits, oom score, kernel parameters and umask are the same", async () => {
  const view = await same({
    rest: { hostname: "other", domainname: "example.org" },
    process: {
      user: { uid: 0, gid: 0, umask: 0o077 },
      rlimits: [
        { type: "RLIMIT_NOFILE", soft: 64, hard: 128 },
        { type: "RLIMIT_CORE", soft: 0, hard: -1 },
      ],
      oomScoreAdj: 500,
    },
    linux: { sysctl: { "net.ipv4.ip_unprivileged_port_start": "80", "kernel.shm_rmid_forced": "1" } },
  });
  assert.match(view.hostname ?? "", /^other\nexample\.org\n$/);
  assert.match(view.limits ?? "", /Max open files +64 +128/);
  assert.match(view.privileges ?? "", /\n500\n$/);
  assert.match(view.session ?? "", /\n0077\n$/);
});

test("devices, also in directories of their own and owned by others, are the same", async () => {
  const device = {
    path: "/dev/net/tun",
    type: "c",
    major: 10,
    minor: 200,
    fileMode: 0o660,
    uid: 3,
    gid: 7,
  } as const;
  await same({ linux: { devices: [device, { ...device, path: "/dev/high", minor: 70000 }] } });
});

test("the host's namespaces stay where they are asked for", async () => {
  const { namespaces = "" } = await same({
    linux: { namespaces: [{ type: "mount" }, { type: "pid" }, { type: "cgroup" }] },
  });
  assert.match(namespaces, /net:\[\d+\] of the host/);
});

test("own clocks are the same", async () => {
  const namespaces = (["pid", "network", "mount", "ipc", "uts", "cgroup", "time"] as const).map((type) => ({
    type,
  }));
  const clock = "cut -d. -f1 /proc/uptime; cat /proc/self/timens_offsets";
  const parts: Parts = {
    linux: {
      namespaces,
      timeOffsets: { boottime: { secs: 900000, nanosecs: 0 }, monotonic: { secs: 60, nanosecs: 0 } },
    },
    process: { args: ["sh", "-c", `${PROBE}\necho '== clock'; ${clock}`] },
  };
  const launched = await scene.launched(spec(parts));
  const scripted = await scene.scripted(spec(parts));
  const [first, ...offsets] = (launched.clock ?? "").split("\n");
  const [second, ...offsetsByHand] = (scripted.clock ?? "").split("\n");
  assert.ok(Math.abs(Number(first) - Number(second)) < 60);
  assert.ok(Number(first) > 900000);
  assert.deepEqual(offsetsByHand, offsets);
  assertSame({ ...scripted, clock: "" }, { ...launched, clock: "" });
});

test("with --init the process tree differs: by hand the workload is process 1 itself", async () => {
  const launched = await scene.launched(spec({}), { init: true });
  const scripted = await scene.scripted(spec({}), { init: true });
  assert.match(launched.processes ?? "", /cais-init/);
  assert.match(scripted.processes ?? "", /\bsh\n/);
  const tree = ["processes", "session", "environment", "links", "descriptors"];
  for (const subject of Object.keys(launched))
    if (!tree.includes(subject)) assert.equal(scripted[subject], launched[subject], subject);
});

test("with a seccomp policy all but the filter is the same, and the script says so", async () => {
  const parts: Parts = {
    linux: {
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["mount"], action: "SCMP_ACT_ERRNO" }],
      },
    },
  };
  const launched = await scene.launched(spec(parts));
  const scripted = await scene.scripted(spec(parts));
  const without = (view: View): View => ({
    ...view,
    privileges: (view.privileges ?? "").replace(/Seccomp:.*/, ""),
  });
  assert.match(launched.privileges ?? "", /Seccomp:\t2/);
  assertSame(without(scripted), without(launched));
  assert.match(scene.script(spec(parts)), /# allow only the system calls of the policy: NOT done by hand/);
});

/** `X-mount.idmap` came with util-linux 2.39: where the machine's is older, a current one is fetched. */
function idmapMissing(): string | undefined {
  return minorOf(process.env.PATH ?? "") >= 39 ? undefined : installMount();
}

function minorOf(path: string): number {
  const text = execFileSync("mount", ["--version"], { encoding: "utf8", env: { PATH: path } });
  return Number(/util-linux 2\.(\d+)/.exec(text)?.[1] ?? 0);
}

const USERS: Parts = {
  linux: {
    namespaces: (["pid", "network", "mount", "ipc", "uts", "cgroup", "user"] as const).map((type) => ({
      type,
    })),
    uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
    gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
  },
};

test("own users are the same", needs(idmapMissing()), async () => {
  const launched = await scene.launched(spec(USERS));
  const machines = process.env.PATH ?? "";
  const path = minorOf(machines) >= 39 ? machines : `${CURRENT_MOUNT}:${machines}`;
  const scripted = await scene.scripted(spec(USERS), {}, { PATH: path });
  // By hand the users' root mounts the overlay, who cannot say anything about trusted attributes.
  const plain = (view: View): View => ({
    ...view,
    mounts: (view.mounts ?? "").replace(/,(redirect_dir|uuid)=\w+/g, ""),
  });
  assertSame(plain(scripted), plain(launched));
  assert.match(launched.namespaces ?? "", /user:\[own\]/);
});

test("with own users, what the container writes has a place that need not be there any more", () => {
  assert.ok(/\[ -d \S*\/up-\S+ \] \|\| \{ mkdir -p /.test(scene.script(spec(USERS))));
});

test("every script is one that a POSIX shell can read, for own users and terminals too", async () => {
  const terminal: Parts = { process: { terminal: true, consoleSize: { height: 24, width: 80 } } };
  for (const parts of [{}, USERS, terminal]) {
    const path = join(scene.base, "syntax.sh");
    writeFileSync(path, scene.script(spec(parts)));
    const { code, stderr } = await command("dash", ["-n", path]);
    assert.equal(code, 0, stderr);
  }
});

test("a mount of another container has no form by hand, and the script says so", () => {
  const source = `/proc/${process.pid}/root/dev/shm`;
  const text = scene.script(
    spec({ mounts: [{ destination: "/dev/shm", type: "bind", source, options: ["bind"] }] }),
  );
  assert.match(text, /NOT done by hand: it is in another mount namespace/);
});

test("each command stands under its reason and the option behind it", () => {
  const text = scene.script(spec({ linux: { resources: { memory: { limit: 50331648 } } } }), {
    origins: new Map([["linux.resources.memory.limit", "--memory 48m"]]),
  });
  assert.match(text, /# limit the container \(memory\.\w+\) \[--memory 48m\]\n +echo 50331648 >/);
});

test("a link in the image that leads out of the container is refused, and nothing is left", async () => {
  const outside = join(scene.base, "outside");
  mkdirSync(outside);
  const id = `script-link-${process.pid}`;
  symlinkSync(outside, join(scene.base, "lower/trap"));
  const parts: Parts = { mounts: [{ destination: "/trap/in", type: "tmpfs", source: "tmpfs", options: [] }] };
  const path = join(scene.base, "link.sh");
  writeFileSync(path, scene.script(spec(parts), { id }));
  const { code, stderr } = await command("sh", [path]);
  assert.equal(code, 1);
  assert.match(stderr, /\/trap(\/in)? leads out of the container/);
  assert.equal(existsSync(join(outside, "in")), false);
  assert.equal(readFileSync("/proc/self/cgroup", "utf8").includes(id), false);
  const cgroups = execFileSync("find", ["/sys/fs/cgroup", "-maxdepth", "3", "-name", id], {
    encoding: "utf8",
  });
  assert.equal(cgroups, "");
});

test("words of the plan cannot leave their place in the script", async () => {
  const name = "a'b $(touch hacked) `touch hacked`\n; touch hacked #";
  const plan: Step[] = [
    call("mkdirat", [num(-100), str(join(scene.base, name)), num(0o700)], `say\ntouch hacked`),
  ];
  const path = join(scene.base, "words.sh");
  writeFileSync(path, script({ steps: plan }));
  const { code, stderr } = await command("sh", [path], { cwd: scene.base });
  assert.equal(code, 0, stderr);
  assert.equal(existsSync(join(scene.base, "hacked")), false);
  assert.equal(existsSync(join(scene.base, name)), true);
});

test("a call without a shell form is refused by its name", () => {
  assert.throws(() => script({ steps: [call("uname", [num(0)], "ask")] }), /no shell form for uname/);
  assert.throws(
    () => script({ steps: [call("ioctl", [num(0), num(0x1234), num(0)], "ask")] }),
    /no shell form for ioctl 0x1234/,
  );
  assert.throws(
    () =>
      script({
        steps: [
          call("mount", [str("a"), str("/b"), str("c"), num(0x200), num(0)], "mount"),
          close("x", "close"),
        ],
      }),
    /no shell form for mount flags 0x200/,
  );
  assert.throws(
    () => script({ steps: [call("setns", [from("x"), num(0)], "join")] }),
    /no shell form for setns/,
  );
});
