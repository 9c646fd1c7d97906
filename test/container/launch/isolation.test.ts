import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Running } from "../../../src/container/launcher.ts";
import { StepError } from "../../../src/plan/error.ts";
import { busyboxMissing } from "../../support/fixtures.ts";
import { namespacesOf, statusOf } from "../../support/process.ts";
import { needs, root } from "../../support/skip.ts";
import { makeScene, type Scene, shell, type Wanted } from "./scene.ts";

// What a container can see and reach, asked from inside of real ones; and images that want to get out.

const can = { ...needs(root(), busyboxMissing()), timeout: 30_000 };
let scene: Scene;

before(async () => {
  if (can.skip === undefined) scene = await makeScene();
});
after(() => scene?.[Symbol.asyncDispose]());

/** What a script prints in a container. */
async function print(script: string, wanted: Wanted = {}): Promise<string> {
  const { exit, stderr, stdout } = await scene.do(shell(script), wanted);
  assert.equal(exit.code, 0, `${stdout}${stderr}`);
  return stdout;
}

/** Runs `look` beside a container that stays until it is done. */
async function beside<T>(wanted: Wanted, look: (running: Running) => T | Promise<T>): Promise<T> {
  const running = await scene.start(`b${counter++}`, shell("echo up; exec sleep 1000"), wanted);
  try {
    return await look(running);
  } finally {
    running.signal(9);
    await scene.finish(running);
  }
}
let counter = 0;

/** Every kind of container that joins or makes namespaces in another way. */
const KINDS: Readonly<Record<string, Wanted>> = {
  "a plain container": {},
  "a terminal": { process: { terminal: true } },
  "own users and time": { namespaces: ["user", "time"] },
  "an init": { request: { init: true } },
  "the machine's processes": { shared: ["pid", "ipc", "uts"] },
};

for (const [kind, wanted] of Object.entries(KINDS)) {
  test(`${kind}: no descriptor but 0, 1 and 2, from the start and from an exec`, can, async () => {
    const list = "for f in /proc/self/fd/*; do test -e $f && basename $f; done; true";
    // The shell has the directory open that it lists.
    const allowed = new Set(["0", "1", "2"]);
    const words = (text: string) =>
      text
        .trim()
        .split(/\s+/)
        .filter((word) => !allowed.has(word));
    assert.deepEqual(words(await print(list, wanted)), []);
    await beside(wanted, async (container) => {
      const inside = readdirSync(`/proc/${container.pid}/fd`).filter((name) => name !== "10");
      const first = wanted.request?.init === true ? inside.length <= 2 : inside.join() === "0,1,2";
      assert.ok(first, inside.map((name) => readlinkSync(`/proc/${container.pid}/fd/${name}`)).join(" "));
      const { stdout } = await scene.finish(await scene.exec(container, shell(list), wanted.process));
      assert.deepEqual(words(stdout), []);
    });
  });

  test(
    `${kind}: no working directory leads out through a descriptor of the launch program`,
    can,
    async () => {
      const look = "/bin/busybox ls -A; /bin/busybox pwd -P";
      const check = async (begin: (cwd: string) => Promise<Running>) => {
        for (let descriptor = 0; descriptor < 24; descriptor++) {
          const cwd = `/proc/self/fd/${descriptor}`;
          const begun = await begin(cwd).catch((error: unknown) => error);
          if (begun instanceof Error) {
            assert.ok(begun instanceof StepError, String(begun));
            continue;
          }
          const { stderr, stdout } = await scene.finish(begun as Running);
          assert.fail(`A container stood in ${cwd}: ${stdout}${stderr}`);
        }
      };
      await check((cwd) =>
        scene.start(`cwd${counter++}`, shell(look), { ...wanted, process: { ...wanted.process, cwd } }),
      );
      await beside(wanted, (container) =>
        check((cwd) => scene.exec(container, shell(look), { ...wanted.process, cwd })),
      );
    },
  );
}

test(
  "the keeper has one capability, the machine's namespaces, and a program nobody can run again",
  can,
  async () => {
    for (const wanted of Object.values(KINDS)) {
      await beside(wanted, ({ keeper, pid }) => {
        for (const field of ["CapEff", "CapPrm"])
          assert.equal(statusOf(keeper.pid, field), "0000000000000020");
        assert.equal(statusOf(keeper.pid, "CapInh"), "0000000000000000");
        const own = namespacesOf("self");
        const kept = namespacesOf(keeper.pid);
        for (const name of ["mnt", "pid", "net", "ipc", "uts", "user", "cgroup", "time"])
          assert.equal(kept[name], own[name], name);
        assert.match(readlinkSync(`/proc/${keeper.pid}/exe`), / \(deleted\)$/);
        assert.deepEqual(readdirSync(scene.programs), []);
        assert.equal(readlinkSync(`/proc/${keeper.pid}/cwd`), "/");
        assert.equal(existsSync(`/proc/${pid}`), true);
      });
    }
  },
);

test("each namespace is the container's own, as wanted, and an exec is in the same", can, async () => {
  const own = namespacesOf("self");
  const check = (wanted: Wanted, names: readonly string[]) =>
    beside(wanted, async (container) => {
      const there = namespacesOf(container.pid);
      const all = ["mnt", "pid", "net", "ipc", "uts", "cgroup", "user", "time"];
      for (const name of all) {
        const same = there[name] === own[name];
        assert.equal(same, !names.includes(name), `${name} of ${JSON.stringify(wanted)}`);
      }
      const list = "for n in /proc/self/ns/*; do echo $(basename $n) $(readlink $n); done";
      const { stdout } = await scene.finish(await scene.exec(container, shell(list)));
      for (const name of all) assert.ok(stdout.includes(`${name} ${there[name]}\n`), `${name}: ${stdout}`);
    });
  const six = ["mnt", "pid", "net", "ipc", "uts", "cgroup"];
  await check({}, six);
  await check({ namespaces: ["user", "time"] }, [...six, "user", "time"]);
  await check({ shared: ["pid", "network", "ipc", "uts"] }, ["mnt", "cgroup"]);
});

test("links in an image lead a mount nowhere but inside", can, async () => {
  const victim = join(scene.directory, "victim");
  mkdirSync(victim);
  writeFileSync(join(victim, "secret"), "of the machine\n");
  symlinkSync(`/../../../../../../${victim}`, join(scene.image, "up"));
  symlinkSync("../../../../../../..", join(scene.image, "far"));
  const attempts: Wanted["mounts"] = [
    { destination: "/up/made", type: "tmpfs", source: "tmpfs", options: [] },
    { destination: "/up/file", type: "bind", source: join(scene.image, "etc/passwd"), options: ["bind"] },
    { destination: "/up", type: "bind", source: scene.image, options: ["rbind"] },
    { destination: `/far${victim}/made`, type: "tmpfs", source: "tmpfs", options: [] },
    {
      destination: `/far${victim}/file`,
      type: "bind",
      source: join(scene.image, "etc/group"),
      options: ["bind"],
    },
  ];
  for (const wanted of Object.values(KINDS)) {
    for (const mount of attempts) {
      const begun = await scene
        .do(shell("cat /up/secret /far/up/secret; true"), { ...wanted, mounts: [mount] })
        .catch((error: unknown) => error);
      if (begun instanceof Error) assert.ok(begun instanceof StepError, String(begun));
      else assert.doesNotMatch(JSON.stringify(begun), /of the machine/);
      assert.deepEqual(readdirSync(victim), ["secret"], `${JSON.stringify(mount)} reached out`);
    }
  }
  for (const name of ["up", "far"]) rmSync(join(scene.image, name));
  rmSync(victim, { recursive: true });
});

for (const place of ["proc", "sys", "dev"]) {
  test(`an image whose /${place} is a link is refused, and says so`, can, async () => {
    rmSync(join(scene.image, place), { recursive: true });
    symlinkSync("/tmp", join(scene.image, place));
    try {
      for (const wanted of [{}, { namespaces: ["user"] }] satisfies Wanted[]) {
        await assert.rejects(scene.do(["true"], wanted), (error: unknown) => {
          assert.ok(error instanceof StepError, String(error));
          assert.match(error.message, /link is not followed/);
          return true;
        });
      }
    } finally {
      rmSync(join(scene.image, place));
      mkdirSync(join(scene.image, place));
    }
  });
}

test("a link that dangles, or leads to an own file of the image, is a place to bind on", can, async () => {
  rmSync(join(scene.image, "etc/resolv.conf"), { force: true });
  symlinkSync("../run/systemd/resolve/stub-resolv.conf", join(scene.image, "etc/resolv.conf"));
  const source = join(scene.directory, "resolv");
  writeFileSync(source, "nameserver 192.0.2.1\n");
  const mounts = [{ destination: "/etc/resolv.conf", type: "bind", source, options: ["rbind", "rprivate"] }];
  for (const wanted of [{}, { namespaces: ["user"] }] satisfies Wanted[])
    assert.equal(await print("cat /etc/resolv.conf", { ...wanted, mounts }), "nameserver 192.0.2.1\n");
  rmSync(join(scene.image, "etc/resolv.conf"));
});

test(
  "masked paths are empty, read-only paths cannot be written, the rest of /proc/sys neither",
  can,
  async () => {
    for (const wanted of Object.values(KINDS)) {
      const script = [
        "for f in /proc/kcore /proc/keys /proc/timer_list; do test ! -e $f || cat $f; done",
        "ls -A /sys/firmware",
        "(echo 1 > /proc/sys/vm/drop_caches) 2>/dev/null && echo wrote",
        "(mkdir /sys/fs/cgroup/x) 2>/dev/null && echo made",
        "true",
      ];
      assert.equal(await print(script.join("\n"), wanted), "");
    }
  },
);

test("capabilities, groups, no_new_privs and a filter are what the configuration says", can, async () => {
  const capabilities = {
    bounding: ["CAP_CHOWN", "CAP_KILL"],
    effective: ["CAP_KILL"],
    permitted: ["CAP_CHOWN", "CAP_KILL"],
    inheritable: ["CAP_KILL"],
    ambient: ["CAP_KILL"],
  };
  const status = await print("cat /proc/self/status", {
    process: {
      user: { uid: 1000, gid: 1001, additionalGids: [29, 44, 100] },
      noNewPrivileges: true,
      capabilities,
      oomScoreAdj: 321,
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 77, hard: 88 }],
    },
    linux: {
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["sethostname"], action: "SCMP_ACT_ERRNO" }],
      },
    },
  });
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*?)\\s*$`, "m").exec(status)?.[1];
  assert.equal(field("Uid"), "1000\t1000\t1000\t1000");
  assert.equal(field("Gid"), "1001\t1001\t1001\t1001");
  assert.equal(field("Groups"), "29 44 100");
  assert.equal(field("CapBnd"), "0000000000000021");
  assert.equal(field("CapAmb"), "0000000000000020");
  assert.equal(field("CapInh"), "0000000000000020");
  assert.equal(field("NoNewPrivs"), "1");
  assert.equal(field("Seccomp"), "2");
  assert.equal(field("Seccomp_filters"), "1");
  const plain = await print("grep -E 'NoNewPrivs|Seccomp:|Groups|CapEff' /proc/self/status");
  assert.match(plain, /Groups:\s*\nCapEff:\s*00000000000004e1\nNoNewPrivs:\s*0\nSeccomp:\s*0\n/);
});

test("limits of the process and parameters of its namespaces are set", can, async () => {
  const said = await print(
    "ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj /proc/sys/net/ipv4/ip_unprivileged_port_start; hostname; cat /sys/class/net/lo/operstate",
    {
      process: { oomScoreAdj: 321, rlimits: [{ type: "RLIMIT_NOFILE", soft: 77, hard: 88 }] },
      linux: { sysctl: { "net.ipv4.ip_unprivileged_port_start": "7" } },
    },
  );
  assert.equal(said, "77\n88\n321\n7\nbox\nunknown\n");
  await assert.rejects(
    scene.do(["true"], { linux: { sysctl: { "kernel.no_such_thing": "1" } } }),
    /Cannot set kernel.no_such_thing.*no such parameter/,
  );
});

test(
  "a missing program, one that is no program, and one that may not be run are told apart",
  can,
  async () => {
    writeFileSync(join(scene.image, "bin/notes"), "just text\n", { mode: 0o755 });
    writeFileSync(join(scene.image, "bin/private"), "#!/bin/sh\n", { mode: 0o644 });
    writeFileSync(join(scene.image, "bin/foreign"), "#!/no/interpreter\n", { mode: 0o755 });
    const errno = async (args: readonly string[], wanted: Wanted = {}) => {
      const error = await scene.do(args, wanted).catch((reason: unknown) => reason);
      assert.ok(error instanceof StepError, String(error));
      assert.equal(error.call, "execve");
      return error.errno;
    };
    for (const wanted of [KINDS["a plain container"], KINDS["an init"], KINDS["own users and time"]]) {
      assert.equal(await errno(["nosuch"], wanted), "ENOENT");
      assert.equal(await errno(["/nosuch"], wanted), "ENOENT");
      assert.equal(await errno(["/etc/passwd/x"], wanted), "ENOENT");
      assert.equal(await errno(["foreign"], wanted), "ENOENT");
      assert.equal(await errno(["private"], wanted), "EACCES");
      assert.equal(await errno(["/etc"], wanted), "EACCES");
      assert.equal(await errno(["notes"], wanted), "ENOEXEC");
    }
    await beside({}, async (container) => {
      await assert.rejects(scene.exec(container, ["nosuch"]), /execve: no such file or directory \(ENOENT\)/);
      await assert.rejects(scene.exec(container, ["private"]), /EACCES/);
    });
  },
);

test("an exec into a container that has just ended says so", can, async () => {
  const running = await scene.start("over", ["true"]);
  await running.exited;
  await assert.rejects(scene.exec(running, ["true"]), /it has ended/);
  await scene.finish(running);
  await assert.rejects(async () => scene.exec(running, ["true"]), /no run directory|it has ended/);
});

test(
  "with own users root inside is nobody outside, and files on disk belong to the image's owners",
  can,
  async () => {
    writeFileSync(join(scene.image, "etc/shadow"), "secret\n", { mode: 0o600 });
    const said = await print(
      "id -u; stat -c %u:%g /bin/busybox /etc/shadow; cat /etc/shadow; echo hi > /written; chown 5:6 /written; stat -c %u:%g /written; echo x > /dev/null; head -c 4 /dev/zero | wc -c; cat /proc/self/uid_map /proc/self/gid_map | tr -s ' '",
      { namespaces: ["user"] },
    );
    assert.equal(said, "0\n0:0\n0:0\nsecret\n5:6\n4\n 0 200000 65536\n 0 200000 65536\n");
    const changed =
      "echo more >> /etc/shadow; chown 7:8 /etc/group; rm /etc/passwd; mkdir /etc/d; ls /etc; tail -n 1 /etc/shadow";
    assert.equal(await print(changed, { namespaces: ["user"] }), "d\ngroup\nshadow\nmore\n");
    const shadow = statSync(join(scene.upper, "etc/shadow"));
    assert.deepEqual([shadow.uid, shadow.mode & 0o777], [0, 0o600]);
    assert.deepEqual(statSync(join(scene.upper, "etc/group")).uid, 7);
    assert.ok(statSync(join(scene.upper, "etc/passwd")).isCharacterDevice());
    assert.equal(readFileSync(join(scene.image, "etc/shadow"), "utf8"), "secret\n");
    const { uid, gid } = statSync(join(scene.upper, "written"));
    assert.deepEqual([uid, gid], [5, 6]);
    await beside({ namespaces: ["user"] }, (container) => {
      assert.match(statusOf(container.pid, "Uid"), /^200000\t200000/);
      assert.match(statusOf(container.pid, "Gid"), /^200000\t200000/);
    });
  },
);

test("the clock of an own time namespace is set off", can, async () => {
  const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  const linux = { timeOffsets: { boottime: { secs: 1_000_000 }, monotonic: { secs: 1000 } } };
  const inside = Number((await print("cut -d' ' -f1 /proc/uptime", { namespaces: ["time"], linux })).trim());
  // Both are told in hundredths, which a difference of such numbers is not.
  const later = Math.round((inside - uptime) * 100) / 100;
  assert.ok(later >= 1_000_000 && later < 1_000_100, `${inside} beside ${uptime}`);
});
