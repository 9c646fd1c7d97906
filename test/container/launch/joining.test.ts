import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { busyboxMissing } from "../../support/fixtures.ts";
import { namespacesOf } from "../../support/process.ts";
import { needs, program, root } from "../../support/skip.ts";
import { type BundleScene, makeBundle, NAMESPACES } from "./bundle.ts";
import { MOUNTS, makeScene, type Scene } from "./scene.ts";

// Namespaces are joined by path: each of the eight, alone and together, with users of others too.

const can = { ...needs(root(), busyboxMissing(), program("unshare", "util-linux")), timeout: 30_000 };
let scene: Scene;
let bundle: BundleScene;

before(async () => {
  if (can.skip !== undefined) return;
  scene = await makeScene();
  bundle = makeBundle(scene);
});
after(() => scene?.[Symbol.asyncDispose]());

const FILE: Readonly<Record<string, string>> = { network: "net", mount: "mnt" };
const fileOf = (type: string) => FILE[type] ?? type;

/** A process in new namespaces, to be joined; its pid as the machine knows it. */
async function holder(...options: readonly string[]): Promise<{ pid: number; process: ChildProcess }> {
  const process = spawn("unshare", [...options, "sh", "-c", "echo up; exec sleep 1000"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((ready) => process.stdout.once("data", ready));
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim();
  return { pid: Number(children === "" ? process.pid : children), process };
}

function end({ pid, process }: { pid: number; process: ChildProcess }): void {
  for (const each of new Set([pid, process.pid ?? pid])) spawnSync("kill", ["-9", String(each)]);
}

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  pid: ["--pid", "--fork", "--kill-child"],
  network: ["--net"],
  ipc: ["--ipc"],
  uts: ["--uts"],
  cgroup: ["--cgroup"],
  time: ["--time", "--fork", "--kill-child"],
  user: ["--user", "--map-root-user"],
};

const joins = (pid: number, ...types: string[]) => [
  ...NAMESPACES.filter((type) => !types.includes(type)),
  ...types.map((type) => ({ type, path: `/proc/${pid}/ns/${fileOf(type)}` })),
];

/** A namespace with one user has no group 5 for terminals. */
const ONE_USER = MOUNTS.map((mount) =>
  mount.type === "devpts" ? { ...mount, options: ["newinstance", "ptmxmode=0666"] } : mount,
);

for (const type of ["pid", "network", "ipc", "uts", "cgroup", "time", "user"]) {
  test(`joins the ${type} namespace of a path, and has its own of the others`, can, async () => {
    const other = await holder(...OPTIONS[type]!);
    try {
      const running = await bundle.start("exec sleep 1000", {
        namespaces: joins(other.pid, type),
        onlyMounts: ONE_USER,
      });
      try {
        const own = namespacesOf("self");
        const [theirs, mine] = [namespacesOf(other.pid), namespacesOf(running.pid)];
        assert.equal(mine[fileOf(type)], theirs[fileOf(type)]);
        for (const each of NAMESPACES)
          if (each !== type) {
            assert.notEqual(mine[fileOf(each)], own[fileOf(each)], each);
            assert.notEqual(mine[fileOf(each)], theirs[fileOf(each)], each);
          }
        // The keeper stays where it was, for hooks and for what comes after the end.
        const kept = namespacesOf(running.keeper.pid);
        for (const each of ["pid", "pid_for_children", "net", "user", "time_for_children"])
          assert.equal(kept[each], own[each], each);
      } finally {
        running.signal(9);
        await scene.finish(running);
      }
    } finally {
      end(other);
    }
  });
}

test(
  "joins all of another's namespaces with its users, and has new ones that belong to those",
  can,
  async () => {
    const other = await holder(
      "--user",
      "--map-root-user",
      "--net",
      "--ipc",
      "--uts",
      "--pid",
      "--fork",
      "--kill-child",
    );
    try {
      const namespaces = joins(other.pid, "user", "network", "ipc", "uts", "pid");
      const script =
        "id -u; cat /proc/self/uid_map; hostname; ps | grep -c 'sleep 1000'; mount -t tmpfs x /mnt 2>&1 || mkdir /tmp/x && mount -t tmpfs x /tmp/x && echo mounted";
      const lines = (await bundle.print(script, { namespaces, onlyMounts: ONE_USER })).trim().split("\n");
      assert.equal(lines[0], "0");
      assert.match(lines[1] ?? "", /^\s*0\s+0\s+1$/);
      assert.equal(lines[2], "box");
      assert.equal(lines.at(-1), "mounted");
    } finally {
      end(other);
    }
  },
);

test("a path that is no namespace of that type is refused, and nothing is left", can, async () => {
  for (const [path, message] of [
    ["/proc/self/ns/ipc", /join the network namespace: setns: .*the file is no namespace of that type/],
    ["/etc/passwd", /join the network namespace: setns: .*the file is no namespace of that type/],
    ["/no/such/path", /join the network namespace: openat: .*ENOENT/],
  ] as const) {
    const namespaces = [...NAMESPACES.filter((type) => type !== "network"), { type: "network", path }];
    await assert.rejects(bundle.start("true", { namespaces }), message);
  }
  await scene.quiet();
  assert.deepEqual(scene.cgroups(), []);
});

const hostname = MOUNTS.concat({
  destination: "/name",
  type: "bind",
  source: "/etc/hostname",
  options: ["ro"],
});

for (const of of ["another", "the machine"]) {
  test(
    `in the mount namespace of ${of} only the process has another root: nothing is mounted`,
    can,
    async () => {
      const other = await holder("--mount");
      try {
        const mounts = () =>
          readFileSync(`/proc/${other.pid}/mountinfo`, "utf8") + readFileSync("/proc/self/mountinfo", "utf8");
        const before = mounts();
        const change = {
          namespaces:
            of === "another" ? joins(other.pid, "mount") : NAMESPACES.filter((type) => type !== "mount"),
          onlyMounts: hostname,
          process: { cwd: "/made/here" },
          root: { readonly: true },
          linux: { maskedPaths: ["/proc/keys"], readonlyPaths: ["/proc/sys"] },
        };
        const script =
          "pwd; ls /bin/busybox; wc -l </name; wc -c </proc/keys; cat /proc/1/comm; test -c /dev/full && touch /x || echo no; (cd ..; cd ../../..; pwd)";
        const printed = await bundle.print(script, change);
        assert.equal(printed, "/made/here\n/bin/busybox\n1\n0\nsh\nno\n/\n");
        const running = await bundle.start("exec sleep 1000", change);
        try {
          assert.equal(
            namespacesOf(running.pid).mnt,
            namespacesOf(of === "another" ? other.pid : "self").mnt,
          );
          assert.equal(mounts(), before);
          // It has said what there is to say once it sleeps.
          while (!readFileSync(`/proc/${running.pid}/cmdline`, "utf8").startsWith("sleep"))
            await new Promise((resolve) => setImmediate(resolve));
        } finally {
          running.signal(9);
          await scene.finish(running);
        }
        assert.equal(mounts(), before);
      } finally {
        end(other);
      }
    },
  );
}

const IDS = [
  { containerID: 0, hostID: 300_000, size: 1000 },
  { containerID: 1000, hostID: 500_000, size: 5 },
  { containerID: 2000, hostID: 1000, size: 1 },
];

test("users of several ranges, in a root that is as it is on the host", can, async () => {
  const script =
    "cat /proc/self/uid_map /proc/self/gid_map; stat -c %u:%g /bin; id -u; stat -c %u /proc/self/";
  const change = {
    namespaces: [...NAMESPACES, "user"],
    linux: { uidMappings: IDS, gidMappings: IDS },
    process: { user: { uid: 1002, gid: 2000 } },
  };
  const printed = await bundle.print(script, change);
  const map = IDS.map((each) => [each.containerID, each.hostID, each.size].join(" "));
  assert.deepEqual(
    printed
      .trim()
      .split("\n")
      .map((line) => line.trim().replace(/ +/g, " ")),
    [...map, ...map, "65534:65534", "1002", "1002"],
  );
  const peer = bundle.runc(script, change);
  assert.equal(printed, peer.stdout, peer.stderr);
});

test("clocks are set for the container only, beside hooks of the machine", can, async () => {
  const change = {
    namespaces: [...NAMESPACES, "time"],
    linux: { timeOffsets: { boottime: { secs: 1_000_000, nanosecs: 5 }, monotonic: { secs: -1 } } },
  };
  const uptime = Number((await bundle.print("cat /proc/uptime", change)).split(" ")[0]);
  const here = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  assert.ok(Math.abs(uptime - here - 1_000_000) < 60, String(uptime));
});
