import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Running } from "../../../src/container/launcher.ts";
import { busyboxMissing } from "../../support/fixtures.ts";
import { needs, root } from "../../support/skip.ts";
import { MOUNTS, makeScene, type Scene, shell, type Wanted } from "./scene.ts";

/**
 * Images and volumes whose links lead through `/proc/<pid>/root` to the machine's tree, in a container that sees the
 * machine's processes (`--pid host`): the plan itself, which is root, must not go there.
 */
const can = { ...needs(root(), busyboxMissing()), timeout: 60_000 };
const SECRET = "a secret of the machine\n";
let scene: Scene;
/** A directory of the machine that is in no container. */
let victim: string;
let untouched: string;

/** Everything of a tree that a mount, a directory or a file made there would change. */
const look = (path: string): string =>
  JSON.stringify(
    readdirSync(path, { recursive: true, encoding: "utf8" })
      .sort()
      .map((name) => [name, statSync(join(path, name)).mode, statSync(join(path, name)).size]),
  ) +
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(path))
    .join();

before(async () => {
  if (can.skip !== undefined) return;
  scene = await makeScene();
  victim = mkdtempSync("/var/tmp/cais-victim-");
  mkdirSync(join(victim, "there"));
  for (const name of ["secret", "null", "hosts", "there/secret"]) writeFileSync(join(victim, name), SECRET);
  untouched = look(victim);
});
after(async () => {
  await scene?.[Symbol.asyncDispose]();
  if (victim !== undefined) rmSync(victim, { recursive: true });
});

/** Where a link of the image leads to the victim, as long as this process is there. */
const out = (path = "") => `/proc/${process.pid}/root${victim}${path}`;

/** An image with these links; they are gone when `use` is over. */
async function withLinks<T>(links: Readonly<Record<string, string>>, use: () => Promise<T>): Promise<T> {
  for (const [name, target] of Object.entries(links)) {
    rmSync(join(scene.image, name), { recursive: true, force: true });
    symlinkSync(target, join(scene.image, name));
  }
  try {
    return await use();
  } finally {
    for (const name of Object.keys(links)) rmSync(join(scene.image, name), { force: true });
    for (const name of readdirSync(scene.upper)) rmSync(join(scene.upper, name), { recursive: true });
  }
}

const machine = { shared: ["pid"] } as const;

/** It runs or is refused; whatever it says and does is nothing of the victim's. */
async function harmless(script: string, wanted: Wanted): Promise<string> {
  const said = await scene
    .do(shell(script), { ...machine, ...wanted })
    .then(({ stderr, stdout }) => stdout + stderr, String);
  assert.doesNotMatch(said, /a secret of the machine/);
  assert.equal(look(victim), untouched);
  return said;
}

const bind = (source: string, destination: string) =>
  ({ destination, type: "bind", source, options: ["rbind", "rprivate"] }) as const;

const tmpfs = (destination: string) =>
  ({ destination, type: "tmpfs", source: "tmpfs", options: ["size=64k"] }) as const;

/** Mounts that go through `/data`, which is a link to the machine. */
const THROUGH: Readonly<Record<string, () => Wanted>> = {
  "a bind of a directory": () => ({ mounts: [bind(scene.image, "/data/made")] }),
  "a bind of a directory on one that is there": () => ({ mounts: [bind(scene.image, "/data/there")] }),
  "a bind of a file": () => ({ mounts: [bind(join(scene.image, "bin/busybox"), "/data/file")] }),
  "a bind of a file on one that is there": () => ({
    mounts: [bind(join(scene.image, "bin/busybox"), "/data/secret")],
  }),
  "a tmpfs": () => ({ mounts: [tmpfs("/data/deep/er")] }),
  "a device": () => ({
    linux: { devices: [{ path: "/data/device", type: "c", major: 1, minor: 3, fileMode: 0o666, uid: 7 }] },
  }),
  "a masked path": () => ({ linux: { maskedPaths: ["/data/secret", "/data/there"] } }),
  "a read-only path": () => ({ linux: { readonlyPaths: ["/data/there"] } }),
  "a working directory": () => ({ process: { cwd: "/data/there" } }),
  "a working directory that is the link": () => ({ process: { cwd: "/data" } }),
  "a working directory to be made": () => ({ process: { cwd: "/data/new/er" } }),
  "a working directory to be made with users of its own": () => ({
    namespaces: ["user"],
    process: { cwd: "/data/new/er" },
  }),
};

/** Ways to the machine's tree. */
const WAYS: Readonly<Record<string, () => string>> = {
  "a link": () => out(),
  "a link with detours": () => `/proc/self/../${process.pid}/root/./${victim}`,
};

for (const [what, wanted] of Object.entries(THROUGH))
  for (const [way, target] of Object.entries(WAYS))
    test(`${what} does not go through ${way} of the image to the machine`, can, () =>
      withLinks({ data: target() }, async () => {
        await harmless("pwd -P; cat secret there/secret ../secret; mkdir made; echo", wanted());
      }),
    );

test("places of the engine's own files and of the kernel's file systems do not either", can, async () => {
  const file = join(scene.directory, "hosts");
  writeFileSync(file, "ours\n");
  const own = { mounts: [bind(file, "/etc/hosts"), bind(file, "/etc/new"), bind(file, "/etc/there/new")] };
  await withLinks({ etc: out() }, () => harmless("cat /etc/hosts", own));
  mkdirSync(join(scene.image, "etc"));
  await withLinks({ "etc/hosts": out("/dangling") }, () => harmless("cat /etc/hosts", own));
  const changed = (change: (mounts: typeof MOUNTS) => NonNullable<Wanted["mounts"]>) => {
    const request = scene.request("changed", shell("cat secret"), machine);
    return { request: { spec: { ...request.spec, mounts: change(MOUNTS) } } };
  };
  for (const [place, link] of [
    ["/sys", "sys"],
    ["/dev", "dev"],
    ["/proc", "proc"],
  ] as const) {
    const without = MOUNTS.filter(({ destination }) => destination !== place);
    await withLinks({ [link]: out() }, () =>
      harmless(
        "cat secret",
        changed(() => without),
      ),
    );
    // Asked for last, after what is below it.
    await withLinks({ [link]: out() }, () =>
      harmless(
        "cat secret",
        changed(() => [...without, bind(scene.image, place)]),
      ),
    );
  }
});

test(
  "CVE-2025-31133, CVE-2025-52565: a volume on /dev does not become the input, the terminal, or what files are hidden with",
  can,
  async () => {
    const volume = join(scene.directory, "volume");
    const on = (over: Wanted = {}): Wanted => ({
      ...over,
      request: {
        spec: {
          ...scene.request("on", shell("cat; cat /proc/self/fd/0 /proc/keys /proc/timer_list"), {
            ...machine,
            ...over,
          }).spec,
          mounts: [
            ...MOUNTS.filter(({ destination }) => !destination.startsWith("/dev")),
            bind(volume, "/dev"),
          ],
        },
      },
    });
    mkdirSync(join(volume, "pts"), { recursive: true });
    // Without a null device the masks would be left out; that must not go unnoticed.
    assert.match(await harmless("", on()), /no null device/);
    symlinkSync(out("/secret"), join(volume, "null"));
    symlinkSync(out("/secret"), join(volume, "pts/ptmx"));
    symlinkSync(out("/console"), join(volume, "console"));
    assert.match(await harmless("", on()), /openat2|null device/);
    await harmless("", on({ process: { terminal: true } }));
    rmSync(join(volume, "null"));
    // One that tells what it hides (CVE-2025-31133).
    symlinkSync("/proc/sysrq-trigger", join(volume, "null"));
    assert.match(await harmless("", on()), /null device/);
  },
);

test("a link to /dev gives a volume none of it before the masks are in place", can, () =>
  withLinks({ data: "/dev" }, async () => {
    const volume = join(scene.directory, "other-volume");
    mkdirSync(volume);
    const said = await harmless("cat /proc/keys; ls /dev", { mounts: [bind(volume, "/data")] });
    assert.equal(said, "");
  }),
);

test("CVE-2025-52881: a parameter is written to procfs or nowhere", can, async () => {
  const volume = join(scene.directory, "parameters");
  mkdirSync(join(volume, "sys/net/ipv4"), { recursive: true });
  writeFileSync(join(volume, "sys/net/ipv4/ip_forward"), "");
  const { spec } = scene.request("sysctl", shell("true"), {
    linux: { sysctl: { "net.ipv4.ip_forward": "1" } },
  });
  const mounts = [...MOUNTS.filter(({ destination }) => destination !== "/proc"), bind(volume, "/proc")];
  const said = await harmless("true", { request: { spec: { ...spec, mounts } } });
  assert.match(said, /EXDEV/);
  assert.equal(readFileSync(join(volume, "sys/net/ipv4/ip_forward"), "utf8"), "");
});

/** Runs `look` beside a hostile container with the machine's processes. */
async function beside<T>(script: string, look: (running: Running) => Promise<T>): Promise<T> {
  const running = await scene.start("hostile", shell(`${script}; echo up; exec sleep 1000`), machine);
  try {
    return await look(running);
  } finally {
    running.signal(9);
    await scene.finish(running);
    for (const name of readdirSync(scene.upper)) rmSync(join(scene.upper, name), { recursive: true });
  }
}

test(
  "CVE-2024-21626 and its like: an exec takes neither directory nor input from the machine, whatever the container has made of them",
  can,
  async () => {
    const script = `ln -s ${out()} /work; rm /dev/null; ln -s ${out("/secret")} /dev/null; rm /dev/pts/ptmx; ln -s ${out("/secret")} /dev/ptmx`;
    await beside(script, async (running) => {
      // The link is there once it answers.
      for (const cwd of [
        "/",
        "/work",
        "/work/there",
        `/proc/${process.pid}/root`,
        `/proc/${process.pid}/cwd`,
      ]) {
        const said = await scene
          .exec(running, shell("cat; cat secret there/secret; pwd -P; mkdir made"), { cwd })
          .then((exec) => scene.finish(exec))
          .then(({ stderr, stdout }) => stdout + stderr, String);
        assert.doesNotMatch(said, /a secret of the machine/, cwd);
        assert.equal(look(victim), untouched, cwd);
      }
    });
  },
);

test(
  "CVE-2021-30465, CVE-2024-45310: a process that swaps places of mounts for links gets none of the machine's",
  can,
  async () => {
    const shared = join(scene.directory, "shared");
    mkdirSync(join(shared, "d"), { recursive: true });
    const swapper = spawn(
      process.execPath,
      [join(import.meta.dirname, "../../image/swapper.ts"), shared, out()],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    await once(swapper.stdout, "data");
    try {
      const mounts = [
        bind(shared, "/vol"),
        bind(scene.image, "/vol/d/inner"),
        tmpfs("/vol/d/other"),
        bind(join(scene.image, "bin/busybox"), "/vol/plain"),
      ];
      for (let round = 0; round < 40; round++)
        await harmless("cat secret ../secret", { mounts, process: { cwd: "/vol/d/directory" } });
    } finally {
      const ended = once(swapper, "exit");
      swapper.kill("SIGKILL");
      await ended;
    }
  },
);

test(
  "a container that sees the machine's processes gets nothing of a keeper, which has fewer rights than it",
  can,
  async () => {
    const kept = await scene.start("kept", ["sleep", "1000"]);
    const other = await scene.start("kept-init", ["sleep", "1000"], { request: { init: true } });
    try {
      for (const { keeper } of [kept, other]) {
        const all =
          "for what in root cwd exe fd/0 fd/4 fd/8 mem environ maps ns/mnt; do ls $1/$what/ && echo $what; readlink $1/$what; done";
        const script = `set -- /proc/${keeper.pid}; cat $1/comm; { ${all}; cat $1/maps $1/environ $1/root${victim}/secret; echo x > $1/root${victim}/made; } 2> /dev/null; true`;
        const { stdout } = await scene.do(shell(script), machine);
        assert.equal(stdout, "cais-keeper\n");
        assert.equal(look(victim), untouched);
      }
    } finally {
      for (const running of [kept, other]) {
        running.signal(9);
        await scene.finish(running);
      }
    }
  },
);

test(
  "CVE-2019-5736: the launch program can neither be run again nor be opened by what it becomes",
  can,
  async () => {
    for (const wanted of [{}, machine, { namespaces: ["user"] }] as const) {
      const again = await scene.do(["/proc/self/exe"], wanted).then(
        () => "it ran",
        (error: Error) => error.message,
      );
      assert.match(again, /EACCES/);
      await withLinks({ "bin/again": "/proc/self/exe" }, async () => {
        await assert.rejects(scene.do(["again"], wanted), /EACCES/);
      });
    }
    // It stays as init: nobody may have its program, its descriptors or its memory.
    const { stdout } = await scene.do(
      shell(
        "for what in exe mem fd/0 root; do cat /proc/1/$what > /dev/null 2>&1 && echo $what; done; cat /proc/1/comm",
      ),
      { request: { init: true } },
    );
    assert.equal(stdout, "cais-init\n");
  },
);

test(
  "CVE-2022-24769, CVE-2022-29162, CVE-2023-25809, CVE-2022-0492: what a process has of capabilities and cgroups",
  can,
  async () => {
    const script = `grep -E '^(CapInh|CapAmb|NoNewPrivs)' /proc/self/status
    for file in $(find /sys/fs/cgroup -name release_agent -o -name cgroup.procs 2>/dev/null | head -n 40); do
      (echo x > $file) 2>/dev/null && echo "wrote $file"
    done
    mkdir /tmp/c; mount -t cgroup -o memory cgroup /tmp/c 2>/dev/null && echo mounted
    unshare -UrmC true 2>/dev/null && echo unshared; true`;
    const own = { bounding: ["CAP_KILL"], effective: ["CAP_KILL"], permitted: ["CAP_KILL"] };
    const { stdout } = await scene.do(shell(script), { process: { capabilities: own } });
    assert.deepEqual(
      stdout.split("\n").filter((line) => line !== "unshared"),
      ["CapInh:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t0", ""],
    );
  },
);
