import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Mount } from "../../../src/oci/runtime/spec.ts";
import { busyboxMissing } from "../../support/fixtures.ts";
import { needs, program, root } from "../../support/skip.ts";
import { type BundleScene, type Change, makeBundle, NAMESPACES } from "./bundle.ts";
import { MOUNTS, makeScene, type Scene } from "./scene.ts";

// Mounts of bundles have the effect that runc's have, and hostile images get nothing from theirs.

const can = { ...needs(root(), busyboxMissing(), program("runc")), timeout: 30_000 };
let scene: Scene;
let bundle: BundleScene;
let source: string;

const mount = (...args: string[]) => assert.equal(spawnSync("mount", args).status, 0, args.join(" "));

before(async () => {
  if (can.skip !== undefined) return;
  scene = await makeScene();
  bundle = makeBundle(scene);
  source = join(bundle.path, "source");
  mkdirSync(source);
  mount("-t", "tmpfs", "source", source);
  mount("--make-shared", source);
  mkdirSync(join(source, "sub"));
  mount("-t", "tmpfs", "sub", join(source, "sub"));
  writeFileSync(join(source, "file"), "content\n");
  writeFileSync(join(bundle.path, "one"), "a file of the bundle\n");
});
after(async () => {
  spawnSync("umount", ["-R", source]);
  await scene?.[Symbol.asyncDispose]();
});

/** Options, type and propagation of what is mounted below /mnt, without what differs from mount to mount. */
const LOOK =
  "grep ' /mnt' /proc/self/mountinfo | while read -r id parent device from at options rest; do echo \"$from $at $options $rest\"; done | sed -e 's/shared:[0-9]*/shared/; s/master:[0-9]*/master/; s/propagate_from:[0-9]* //'";

const at = (mounts: readonly Mount[]): Change => ({ mounts });

/** Options of a tmpfs, and of a bind mount. */
const FRESH: readonly (readonly string[])[] = [
  [],
  ["ro"],
  ["nosuid", "noexec", "nodev", "size=1024k", "mode=700"],
  ["noatime"],
  ["nodiratime", "strictatime"],
  ["relatime", "sync", "dirsync"],
  ["nosuid", "suid", "noexec", "exec", "ro", "rw"],
  ["shared"],
  ["rprivate"],
  ["unbindable"],
  ["nr_inodes=10", "uid=5", "gid=6"],
];
const BOUND: readonly (readonly string[])[] = [
  ["bind"],
  ["rbind"],
  ["bind", "ro"],
  ["rbind", "ro", "nosuid", "noexec"],
  ["rbind", "rro"],
  ["rbind", "rnosuid", "rnoexec", "rnodev"],
  ["rbind", "rnoatime"],
  ["rbind", "rstrictatime", "rnodiratime"],
  ["rbind", "rprivate"],
  ["rbind", "rslave"],
  ["rbind", "slave"],
  ["rbind", "slave", "shared"],
  ["rbind", "rshared"],
  ["bind", "unbindable"],
];

for (const options of FRESH) {
  test(`a tmpfs with ${options.join(",") || "no options"} is as runc's`, can, async () => {
    const change = at([{ destination: "/mnt", type: "tmpfs", source: "tmpfs", options }]);
    const peer = bundle.runc(LOOK, change);
    assert.equal(peer.status, 0, peer.stderr);
    assert.equal(await bundle.print(LOOK, change), peer.stdout);
  });
}

for (const options of BOUND) {
  test(`a bind mount with ${options.join(",")} is as runc's`, can, async () => {
    const change = at([{ destination: "/mnt", type: "none", source, options }]);
    const peer = bundle.runc(LOOK, change);
    assert.equal(peer.status, 0, peer.stderr);
    assert.equal(await bundle.print(LOOK, change), peer.stdout);
  });
}

test("nosymfollow, noatime and the whole family on a bind mount", can, async () => {
  for (const [word, shown] of [
    ["nosymfollow", "relatime,nosymfollow"],
    ["noatime", "noatime"],
    ["nodiratime", "nodiratime,relatime"],
    ["relatime", "relatime"],
  ] as const) {
    const printed = await bundle.print(LOOK, at([{ destination: "/mnt", source, options: ["bind", word] }]));
    assert.match(printed, new RegExp(`^/ /mnt rw,${shown} `), word);
  }
  const strict = await bundle.print(
    LOOK,
    at([{ destination: "/mnt", source, options: ["bind", "strictatime"] }]),
  );
  assert.match(strict, /^\/ \/mnt rw master - /);
});

test("a mount can be changed by a later one: remount", can, async () => {
  const change = at([
    { destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["nosuid"] },
    {
      destination: "/mnt",
      type: "tmpfs",
      source: "tmpfs",
      options: ["remount", "ro", "noexec", "size=100k"],
    },
    { destination: "/mnt/b", type: "none", source, options: ["bind"] },
  ]);
  const [first, second] = change.mounts!;
  const only = { mounts: [first!, second!] };
  const peer = bundle.runc(LOOK, only);
  assert.equal(peer.status, 0, peer.stderr);
  const shown = /^\/ \/mnt ro,noexec,relatime - tmpfs tmpfs r[ow],size=100k/;
  assert.match(peer.stdout, shown);
  assert.match(await bundle.print(LOOK, only), shown);
});

test(
  "sources are relative to the bundle, destinations to the root; what is missing is made",
  can,
  async () => {
    const change = at([
      { destination: "/a/new/../file", type: "bind", source: "one", options: ["bind"] },
      { destination: "relative/./place", type: "bind", source: "source", options: ["rbind"] },
      { destination: "/deep/in/../../../../escape", type: "tmpfs", source: "tmpfs" },
    ]);
    const script = "cat /a/file; ls /relative/place; grep -c ' /escape ' /proc/self/mountinfo";
    assert.equal(await bundle.print(script, change), "a file of the bundle\nfile\nsub\n1\n");
    assert.ok(!existsSync("/escape"));
    for (const name of ["a", "relative", "escape"]) rmSync(join(bundle.root, name), { recursive: true });
  },
);

test("file systems with paths of the host as options: an overlay", can, async () => {
  for (const name of ["lower", "upper", "work"]) mkdirSync(join(source, name), { recursive: true });
  writeFileSync(join(source, "lower/below"), "");
  const options = [`lowerdir=${source}/lower,upperdir=${source}/upper`, `workdir=${source}/work`];
  const change = at([{ destination: "/mnt", type: "overlay", source: "overlay", options }]);
  const script = "ls /mnt; touch /mnt/new; grep -c ' /mnt .* overlay ' /proc/self/mountinfo";
  assert.equal(await bundle.print(script, change), "below\n1\n");
  assert.ok(existsSync(join(source, "upper/new")));
  await assert.rejects(
    bundle.start("true", at([{ destination: "/mnt", type: "nosuchfs", source: "x" }])),
    /mount: no such device \(ENODEV\)/,
  );
});

test("tmpcopyup: a tmpfs that begins with what the image has", can, async () => {
  mkdirSync(join(bundle.root, "filled"), { recursive: true });
  writeFileSync(join(bundle.root, "filled/old"), "from the image\n");
  const change = at([
    { destination: "/filled", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "size=512k", "nosuid"] },
  ]);
  const script =
    "cat /filled/old; echo changed >>/filled/old && cat /filled/old; dd if=/dev/zero of=/filled/big bs=1k count=1024 2>/dev/null || echo full";
  const expected = "from the image\nfrom the image\nchanged\nfull\n";
  assert.equal(await bundle.print(script, change), expected);
  assert.equal(bundle.runc(script, change).stdout, expected);
  assert.deepEqual(readdirSync(join(bundle.root, "filled")), ["old"]);
});

test("idmapped mounts, with a mapping of their own and without a user namespace", can, async () => {
  writeFileSync(join(source, "sub/inner"), "");
  const IDS = [{ containerID: 0, hostID: 5000, size: 1000 }];
  const look = "stat -c %u:%g /mnt/file /mnt/sub/inner";
  const mapped = (...options: string[]) =>
    at([{ destination: "/mnt", source, options, uidMappings: IDS, gidMappings: IDS }]);
  assert.equal(await bundle.print(look, mapped("rbind", "idmap")), "5000:5000\n0:0\n");
  assert.equal(await bundle.print(look, mapped("rbind", "ridmap")), "5000:5000\n5000:5000\n");
  // Without a word for it as well.
  assert.equal(await bundle.print(look, mapped("rbind")), "5000:5000\n0:0\n");
});

test("idmapped mounts with the users of the container", can, async () => {
  const IDS = [{ containerID: 0, hostID: 300_000, size: 65536 }];
  const change: Change = {
    ...at([{ destination: "/mnt", source, options: ["bind", "idmap"] }]),
    namespaces: [...NAMESPACES, "user"],
    linux: { uidMappings: IDS, gidMappings: IDS },
  };
  assert.equal(await bundle.print("stat -c %u:%g /mnt/file", change), "0:0\n");
});

test("without a cgroup namespace it sees its own cgroups only, as with runc", can, async () => {
  const change = { namespaces: NAMESPACES.filter((type) => type !== "cgroup") };
  const script =
    "ls /sys/fs/cgroup; ls /sys/fs/cgroup/*/ | grep -c 'cais-' ; cat /sys/fs/cgroup/pids/cgroup.procs; true";
  const peer = bundle.runc(script, change);
  const lines = (await bundle.print(script, change)).trim().split("\n");
  assert.equal(lines.at(-2), "1");
  const names = peer.stdout.split("\n").filter((name) => /^[a-z,_]+$/.test(name));
  for (const name of ["memory", "pids", "devices"])
    assert.ok(names.includes(name) && lines.includes(name), name);
});

test("nothing is mounted inside /proc, however the way there is written", can, async () => {
  const tmpfs = (destination: string) => at([{ destination, type: "tmpfs", source: "tmpfs" }]);
  for (const destination of ["/proc/sys", "/proc/self/attr", "/x/../proc/fs", "proc/bus"]) {
    await assert.rejects(
      bundle.start("true", tmpfs(destination)),
      /mounts\[7\]\.destination: \/proc\/.* is inside \/proc/,
    );
  }
  const bind = at([{ destination: "/proc/sys", type: "bind", source, options: ["bind"] }]);
  assert.match(bundle.runc("true", bind).stderr, /inside \/proc/);
  await assert.rejects(bundle.start("true", bind), /is inside \/proc/);
  symlinkSync("/proc/self", join(bundle.root, "link"));
  symlinkSync("proc", join(bundle.root, "relative"));
  try {
    for (const destination of ["/link/attr", "/relative/sys"])
      await assert.rejects(bundle.start("true", tmpfs(destination)), /EXDEV|ENOENT/);
  } finally {
    for (const name of ["link", "relative"]) rmSync(join(bundle.root, name));
  }
  const lxcfs = at([{ destination: "/proc/uptime", type: "bind", source: "one", options: ["bind"] }]);
  assert.equal(await bundle.print("cat /proc/uptime", lxcfs), "a file of the bundle\n");
});

test(
  "links of the image lead nowhere but into the image, with the machine's processes in sight too",
  can,
  async () => {
    const marker = join(scene.directory, "marker");
    mkdirSync(marker, { recursive: true });
    const namespaces = NAMESPACES.filter((type) => type !== "pid");
    const links: Readonly<Record<string, string>> = {
      magic: `/proc/${process.pid}/root${marker}`,
      absolute: marker,
      up: `../../../../../..${marker}`,
      own: "/proc/self/root",
    };
    try {
      for (const [name, target] of Object.entries(links)) symlinkSync(target, join(bundle.root, name));
      for (const name of Object.keys(links)) {
        for (const mounted of [
          { destination: `/${name}/made/here`, type: "tmpfs", source: "tmpfs" },
          { destination: `/${name}/file`, type: "bind", source: "one", options: ["bind"] },
        ]) {
          const started = await bundle
            .do("true", { ...at([mounted]), namespaces })
            .catch((error: unknown) => error);
          if (name === "magic") assert.match(String(started), /ELOOP/);
          assert.deepEqual(readdirSync(marker), [], name);
        }
      }
    } finally {
      for (const name of Object.keys(links)) rmSync(join(bundle.root, name));
    }
  },
);

test("a link that leads to nothing is itself the place of a file", can, async () => {
  mkdirSync(join(bundle.root, "etc"), { recursive: true });
  symlinkSync("../run/nowhere/resolv.conf", join(bundle.root, "etc/resolv.conf"));
  const change = at([{ destination: "/etc/resolv.conf", type: "bind", source: "one", options: ["bind"] }]);
  assert.equal(await bundle.print("cat /etc/resolv.conf", change), "a file of the bundle\n");
  rmSync(join(bundle.root, "etc/resolv.conf"));
});

const withoutDev = MOUNTS.filter(({ destination }) => !destination.startsWith("/dev"));

test("without a mount at /dev the root's own gets the default devices", can, async () => {
  const script =
    "stat -c '%F %t %T %a' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty; readlink /dev/fd; readlink /dev/ptmx";
  const change = { onlyMounts: withoutDev };
  const printed = await bundle.print(script, change);
  assert.match(printed, /^character special file 1 3 666\ncharacter special file 1 5 666\n/);
  assert.equal(printed, bundle.runc(script, change).stdout);
  rmSync(join(bundle.root, "dev"), { recursive: true });
});

test("a file of the image in the place of a device is refused", can, async () => {
  const dev = join(bundle.root, "dev");
  for (const make of [
    () => writeFileSync(join(dev, "null"), "mine"),
    () => symlinkSync("/proc/sysrq-trigger", join(dev, "null")),
    () => spawnSync("mknod", [join(dev, "null"), "c", "1", "5"]),
    () => spawnSync("mknod", [join(dev, "null"), "b", "1", "3"]),
  ]) {
    rmSync(dev, { recursive: true, force: true });
    mkdirSync(dev);
    make();
    await assert.rejects(
      bundle.start("true", { onlyMounts: withoutDev }),
      /make \/dev\/null: expect: .*EEXIST\); the image has something else at \/dev\/null/,
    );
    rmSync(dev, { recursive: true });
  }
});

test("devices of the configuration, anywhere, with mode and owner", can, async () => {
  const devices = [
    { path: "/dev/my", type: "c", major: 1, minor: 5, fileMode: 0o640, uid: 5, gid: 6 },
    { path: "/some/where/block", type: "b", major: 7, minor: 300, fileMode: 0o600 },
    { path: "/dev/fifo", type: "p", fileMode: 0o622 },
    { path: "/dev/u", type: "u", major: 1, minor: 3 },
  ] as const;
  const change = { linux: { devices } };
  const script = "stat -c '%n %F %t %T %a %u %g' /dev/my /some/where/block /dev/fifo /dev/u";
  const printed = await bundle.print(script, change);
  rmSync(join(bundle.root, "some"), { recursive: true, force: true });
  assert.equal(printed, bundle.runc(script, change).stdout);
  assert.match(
    printed,
    /^\/dev\/my character special file 1 5 640 5 6\n\/some\/where\/block block special file 7 12c 600/,
  );
  rmSync(join(bundle.root, "some"), { recursive: true, force: true });
});

test("a root that a symbolic link leads to is refused", can, async () => {
  const link = join(bundle.path, "link");
  symlinkSync("rootfs", link);
  const request = {
    ...scene.request("linked", []),
    spec: bundle.config("true"),
    rootfs: { kind: "directory", path: link },
    bundle: { id: "linked", path: bundle.path, root: link },
  } as const;
  await assert.rejects(
    scene.launcher.start(request),
    /open the container's root file system: openat2: .*ELOOP\); .*no symbolic link leads to/,
  );
});

test("nothing of it is left on the machine", can, async () => {
  assert.equal(
    spawnSync("grep", ["-c", bundle.root, "/proc/self/mountinfo"], { encoding: "utf8" }).stdout,
    "0\n",
  );
  assert.ok(statSync(bundle.root).isDirectory());
  await scene.quiet();
});
