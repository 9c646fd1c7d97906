import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isWhole } from "../../src/kernel/rights.ts";
import type { RuntimeSpec } from "../../src/oci/runtime/spec.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, program } from "../support/skip.ts";
import { AS_USER, makeScene, type Scene, USER, untilText, usersDenied } from "./scene.ts";

// A user without privileges, and root of a user namespace as podman makes one, run containers too.

const possible = needs(
  busyboxMissing(),
  program("setpriv", "util-linux"),
  program("unshare", "util-linux"),
  usersDenied(),
);

function rootless(scene: Scene, ...before: readonly string[]) {
  const home = join(scene.directory, "home");
  mkdirSync(home);
  chownSync(home, USER, USER);
  const env = { PATH: process.env.PATH ?? "", HOME: home };
  const run = (...words: readonly string[]) => {
    const line = [...AS_USER, ...before, scene.program, "--root", join(home, "state"), ...words];
    // What it creates keeps its streams: only its own end is waited for.
    const paths = [join(scene.directory, "out"), join(scene.directory, "err")];
    const [out = 1, err = 2] = paths.map((path) => openSync(path, "w"));
    const { status } = spawnSync("setpriv", line, { cwd: home, env, stdio: ["ignore", out, err] });
    for (const file of [out, err]) closeSync(file);
    const [stdout = "", stderr = ""] = paths.map((path) => readFileSync(path, "utf8"));
    return { code: status, stdout, stderr };
  };
  const ok = (...words: readonly string[]) => {
    const { code, stderr, stdout } = run(...words);
    assert.equal(code, 0, `${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  ok("spec", "--rootless");
  const config = join(home, "config.json");
  const base = JSON.parse(readFileSync(config, "utf8")) as RuntimeSpec &
    Required<Pick<RuntimeSpec, "process">>;
  const configure = (more: Partial<RuntimeSpec["process"]> = {}, linux: RuntimeSpec["linux"] = {}): void => {
    const spec: RuntimeSpec = {
      ...base,
      root: { path: scene.rootfs, readonly: false },
      process: { ...base.process, terminal: false, args: ["sleep", "1000"], ...more },
      linux: { ...base.linux, ...linux },
    };
    writeFileSync(config, JSON.stringify(spec));
  };
  return { home, run, ok, configure, linux: base.linux ?? {} };
}

/** From create to delete; what it is in there, and that nothing is left. */
async function lives({ home, ok, run }: ReturnType<typeof rootless>, shown: string): Promise<void> {
  ok("create", "box");
  const { pid, status } = JSON.parse(ok("state", "box")) as { pid: number; status: string };
  assert.equal(status, "created");
  ok("start", "box");
  assert.equal(ok("exec", "box", "sh", "-c", "id -u; cat /proc/1/comm; cat /proc/self/uid_map"), shown);
  assert.match(ok("exec", "--tty", "box", "sh", "-c", "tty; ls -l /dev/null"), /^\/dev\/pts\/0\ncrw/);
  assert.equal(run("exec", "box", "sh", "-c", "exit 5").code, 5);
  for (const words of [
    ["ps", "box"],
    ["pause", "box"],
    ["update", "--pids-limit", "5", "box"],
    ["kill", "--all", "box"],
  ])
    assert.match(run(...words).stderr, /container box: it has no cgroup of its own/);
  assert.equal(run("delete", "box").code, 1);
  ok("delete", "--force", "box");
  assert.equal(ok("list", "--quiet"), "");
  assert.deepEqual(readdirSync(join(home, "state")), []);
  await untilText(
    () => (existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : " Z "),
    (text) => / Z /.test(text),
  );
}

test("a user without privileges runs a container whose root it is", possible, async () => {
  await using scene = makeScene();
  const user = rootless(scene);
  user.configure();
  await lives(user, `0\nsleep\n         0       ${USER}          1\n`);
  user.configure({
    args: ["sh", "-c", "hostname; ls -d /dev/shm /sys/class; cat /proc/self/setgroups; exit 7"],
  });
  const ended = user.run("run", "box");
  assert.deepEqual(ended, { code: 7, stdout: "cais\n/dev/shm\n/sys/class\ndeny\n", stderr: "" });
  const { gidMappings = [], namespaces = [], uidMappings = [] } = user.linux;
  const clocks = {
    namespaces: [...namespaces, { type: "time" as const }],
    timeOffsets: { boottime: { secs: 86_400 } },
  };
  user.configure({}, clocks);
  user.ok("run", "--detach", "box");
  for (const file of ["/proc/1/timens_offsets", "/proc/self/timens_offsets"])
    assert.match(user.ok("exec", "box", "cat", file), /^boottime +86400 +0$/m);
  user.ok("delete", "--force", "box");
  user.ok("run", "--detach", "box");
  user.ok("kill", "box", "KILL");
  await untilText(
    () => user.ok("state", "box"),
    (text) => text.includes("stopped"),
  );
  user.ok("kill", "--all", "box", "0");
  user.ok("delete", "box");
  const ptmx = { path: "/dev/ptmx", type: "c" as const, major: 5, minor: 2 };
  user.configure({ args: ["readlink", "/dev/ptmx"] }, { devices: [ptmx] });
  assert.equal(user.ok("run", "box"), "pts/ptmx\n", "not the machine's");
  user.configure({ args: ["true"] }, { namespaces: namespaces.filter(({ type }) => type !== "pid") });
  assert.match(user.run("run", "box").stderr, /Such configuration is strongly discouraged/);
  const two = (own: typeof uidMappings) => [...own, { containerID: 1, hostID: 100_000, size: 65_536 }];
  for (const [linux, process, says] of [
    [
      { namespaces: namespaces.filter(({ type }) => type !== "user"), uidMappings: [], gidMappings: [] },
      {},
      /linux\.namespaces: a user without privileges needs a user namespace/,
    ],
    [
      { uidMappings: two(uidMappings) },
      {},
      /linux\.uidMappings: a user without privileges may map 1234 alone/,
    ],
    [
      { gidMappings: two(gidMappings) },
      {},
      /linux\.gidMappings: a user without privileges may map 1234 alone/,
    ],
    [
      {},
      { user: { uid: 0, gid: 0, additionalGids: [0] } },
      /additionalGids: a user without privileges cannot set/,
    ],
    [{ cgroupsPath: "/mine" }, {}, /Cannot make cgroup \/mine: permission denied/],
    [{ resources: { pids: { limit: 5 } } }, {}, /linux\.resources\.pids needs a cgroup/],
  ] as const) {
    user.configure(process, linux);
    const refused = user.run("create", "box");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, says);
  }
  assert.equal(user.ok("list", "--quiet"), "");
});

test("so does root of a user namespace, without another one for the container", possible, async () => {
  await using scene = makeScene();
  const user = rootless(scene, "unshare", "--user", "--map-root-user", "--mount");
  const { namespaces = [] } = user.linux;
  const linux = {
    namespaces: namespaces.filter(({ type }) => type !== "user"),
    uidMappings: [],
    gidMappings: [],
  };
  user.configure({}, linux);
  const { ok, run } = user;
  // Each command would be in a user namespace of its own: they are one script.
  const script = join(user.home, "script");
  writeFileSync(
    script,
    `set -e; c="$1 --root state"; $c create box >/dev/null 2>&1; $c start box
$c exec box sh -c 'id -u; cat /proc/1/comm; ls -l /dev/null | cut -c1-3'
$c exec --tty box tty; $c exec box sh -c 'exit 5' || echo $?; $c delete --force box; $c list --quiet`,
  );
  const words = [...AS_USER, "unshare", "--user", "--map-root-user", "--mount", "sh", script, scene.program];
  const ended = spawnSync("setpriv", words, { cwd: user.home, encoding: "utf8" });
  assert.equal(ended.stdout, "0\nsleep\ncrw\n/dev/pts/0\n5\n", ended.stderr);
  assert.equal(ok("list", "--quiet"), "");
  assert.equal(run("run", "--bundle", "nowhere", "box").code, 1);
});

test("a map of all users is the machine's", () => {
  assert.equal(isWhole("         0          0 4294967295\n"), true);
  assert.equal(isWhole("         0       1000          1\n"), false);
  assert.equal(isWhole("         0     100000      65536\n"), false);
});
