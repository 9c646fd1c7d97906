import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { busyboxMissing } from "../support/fixtures.ts";
import { agent } from "../support/listener.ts";
import { needs, program, root } from "../support/skip.ts";
import { makeScene } from "./scene.ts";

const possible = needs(root(), busyboxMissing());

const startHook = (script: string, env?: readonly string[]) => ({
  hooks: {
    startContainer: [{ path: "/bin/sh", args: ["sh", "-c", script], ...(env === undefined ? {} : { env }) }],
  },
});

test("a startContainer hook without an environment has the process's", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  const check = 'test "$ONE-$HOME" = two-/root';
  const process = { env: ["ONE=two", "PATH=/bin"] };
  const inherits = scene.bundle("inherits", { args: ["true"], process, spec: startHook(check) });
  await cais.ok(["run", "--bundle", inherits, "inherits"]);
  const own = scene.bundle("own", { args: ["true"], process, spec: startHook(check, ["ONE=three"]) });
  assert.equal((await cais.run(["run", "--bundle", own, "own"])).code, 1);
});

test(
  "what a startContainer hook says is told when it fails, and never the container's",
  possible,
  async () => {
    await using scene = makeScene();
    const { cais } = scene;
    const told =
      /error running startContainer hook #0: \/bin\/sh: (exit status 3|signal: bad system call), output: for a reason/;
    const fails = scene.bundle("fails", { spec: startHook("echo for a reason >&2; exit 3") });
    const ran = await cais.run(["run", "--bundle", fails, "fails"]);
    assert.match(ran.stderr, told);
    await cais.ok(["create", "--bundle", fails, "created"]);
    const started = await cais.run(["start", "created"]);
    assert.equal(started.code, 1);
    assert.match(started.stderr, told);
    const killed = scene.bundle("killed", { spec: startHook("echo for a reason; kill -SYS $$") });
    assert.match((await cais.run(["run", "--bundle", killed, "killed"])).stderr, told);
    const quiet = scene.bundle("quiet", {
      args: ["ls", "/proc/self/fd"],
      spec: startHook("echo not for you"),
    });
    // The last of them is that of ls itself.
    assert.equal(await cais.ok(["run", "--bundle", quiet, "quiet"]), "0\n1\n2\n3\n");
  },
);

test("a startContainer hook and a policy with a listener go together in a run", {
  ...needs(root(), busyboxMissing(), program("python3")),
  timeout: 60_000,
}, async () => {
  await using scene = makeScene();
  const { cais, directory } = scene;
  const listenerPath = join(directory, "agent.sock");
  const { lines, process } = agent(listenerPath, 1);
  try {
    assert.equal((await lines.next()).value, "ready");
    const bundle = scene.bundle("heard", {
      args: ["mkdir", "/a"],
      spec: startHook("test $(ls /proc/self/fd | wc -l) = 4"),
      linux: {
        seccomp: {
          defaultAction: "SCMP_ACT_ALLOW",
          listenerPath,
          syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }],
        },
      },
    });
    const created = await cais.run(["create", "--bundle", bundle, "created"]);
    assert.match(created.stderr, /startContainer hooks and a seccomp listener do not go together/);
    const ran = await cais.run(["run", "--bundle", bundle, "heard"]);
    assert.match(ran.stderr, /'\/a': No medium found/);
    assert.equal(ran.code, 1);
  } finally {
    process.kill();
  }
});
