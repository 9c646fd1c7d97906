import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { makeScene, type Runtime, told, untilStatus } from "./scene.ts";

const possible = needs(root(), busyboxMissing());
const beside = needs(root(), busyboxMissing(), program("runc"));

test("create, start and delete are separate; state tells where it is", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  const bundle = scene.bundle("one", { args: ["sh", "-c", "echo ran > /ran; sleep 1000"] });
  const pidFile = join(scene.directory, "pid");
  await cais.ok(["create", "--bundle", bundle, "--pid-file", pidFile, "one"]);
  const created = JSON.parse(await cais.ok(["state", "one"])) as Record<string, unknown>;
  assert.equal(created.status, "created");
  assert.equal(created.id, "one");
  assert.equal(created.bundle, bundle);
  assert.equal(created.rootfs, scene.rootfs);
  assert.equal(created.ociVersion, "1.3.0");
  assert.equal(readFileSync(pidFile, "utf8"), String(created.pid), "the pid file has the process");
  assert.ok(!existsSync(join(scene.rootfs, "ran")), "nothing of the workload has run");
  const status = readFileSync(`/proc/${created.pid}/status`, "utf8");
  const resident = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  assert.ok(resident < 128, `what waits has ${resident} KiB`);
  assert.match(status, /^NSpid:\t\d+\t1$/m, "and is process 1 of the container");

  await cais.ok(["start", "one"]);
  assert.deepEqual(await cais.state("one").then(({ pid, status }) => ({ pid, status })), {
    pid: created.pid,
    status: "running",
  });
  await cais.ok(["kill", "one", "KILL"]);
  await untilStatus(cais, "one", "stopped");
  await cais.ok(["delete", "one"]);
  assert.deepEqual(scene.cgroups(), []);
  assert.ok(!existsSync(join(cais.root, "one")));
});

/** What a caller may do in any order, with runc's answer beside ours. */
const STEPS: readonly (readonly string[])[] = [
  ["state", "c"],
  ["start", "c"],
  ["exec", "c", "true"],
  ["kill", "c"],
  ["delete", "c"],
  ["delete", "--force", "c"],
  ["create", "--bundle", "BUNDLE", "c"],
  ["create", "--bundle", "BUNDLE", "c"],
  ["exec", "c", "true"],
  ["kill", "c", "NOSUCH"],
  ["pause", "c"],
  ["start", "c"],
  ["resume", "c"],
  ["start", "c"],
  ["start", "c"],
  ["delete", "c"],
  ["pause", "c"],
  ["pause", "c"],
  ["exec", "c", "true"],
  ["resume", "c"],
  ["resume", "c"],
  ["exec", "c", "sh", "-c", "exit 7"],
  ["exec", "c", "sh", "-c", "kill -9 $$"],
  ["exec", "c", "nope"],
  ["exec", "--detach", "c", "nope"],
  ["exec", "c", "/no/such"],
  ["exec"],
  ["create", "--bundle", "BUNDLE", "a/b"],
  ["create", "--bundle", "BUNDLE", "bad id"],
  ["create"],
  ["list", "--quiet"],
  ["delete", "--force", "c"],
  ["list", "--format", "json"],
  ["run", "--bundle", "FAILS", "f"],
  ["run", "--bundle", "SEVEN", "s"],
  ["state", "s"],
];

test("answers, exit codes and errors are runc's", beside, async () => {
  await using scene = makeScene();
  const bundles = {
    BUNDLE: scene.bundle("c"),
    FAILS: scene.bundle("f", { args: ["nope"] }),
    SEVEN: scene.bundle("s", { args: ["sh", "-c", "exit 7"] }),
  };
  const answers = async (runtime: Runtime) => {
    const all: object[] = [];
    for (const step of STEPS) {
      const words = step.map((word) => bundles[word as keyof typeof bundles] ?? word);
      const ended = await runtime.run(words);
      const usage = /requires (exactly|a minimum of)/.test(ended.stderr);
      all.push({
        step: step.join(" "),
        code: ended.code,
        said: told(ended).trim(),
        stdout: usage ? "" : ended.stdout.trim(),
      });
    }
    return all;
  };
  const [theirs, ours] = [await answers(scene.runc), await answers(scene.cais)];
  assert.deepEqual(ours, theirs);
});

test("the log has one record in the caller's form, standard error the sentence", beside, async () => {
  await using scene = makeScene();
  const logOf = async (runtime: Runtime, form: string) => {
    const file = join(scene.directory, `${runtime.name}.${form}`);
    const ended = await runtime.run(["--log", file, "--log-format", form, "state", "none"]);
    const text = readFileSync(file, "utf8").replace(/\d{4}-[\d-]+T[\d:]+Z/, "TIME");
    return { code: ended.code, stderr: ended.stderr, text };
  };
  for (const form of ["json", "text"]) {
    assert.deepEqual(await logOf(scene.cais, form), await logOf(scene.runc, form));
  }
  const wrong = await scene.cais.run(["--log-format", "xml", "state", "none"]);
  assert.equal(wrong.code, 1);
});

test("what it does not do is refused by name", possible, async () => {
  await using scene = makeScene();
  const bundle = scene.bundle("no");
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [["checkpoint", "x"], /no checkpoint and restore/],
    [["restore", "x"], /no checkpoint and restore/],
    [["--systemd-cgroup", "create", "--bundle", bundle, "x"], /systemd cgroup flag passed/],
    [["create", "--no-pivot", "--bundle", bundle, "x"], /without pivot_root/],
    [["create", "--bundle", join(scene.directory, "gone"), "x"], /config\.json not found/],
    [["create", "--preserve-fds", "3", "--bundle", bundle, "x"], /preserved-fd/],
    [["nope"], /No help topic for 'nope'/],
  ];
  for (const [args, expected] of refusals) {
    const ended = await scene.cais.run(args);
    assert.notEqual(ended.code, 0, args.join(" "));
    assert.match(ended.stderr, expected);
  }
  const terminal = scene.bundle("tty", { process: { terminal: true } });
  assert.match(
    (await scene.cais.run(["create", "--bundle", terminal, "x"])).stderr,
    /cannot allocate tty if runc will detach without setting console socket/,
  );
  const top = scene.bundle("top", { linux: { cgroupsPath: "/" } });
  assert.match((await scene.cais.run(["create", "--bundle", top, "x"])).stderr, /a cgroup of its own/);
  assert.equal(await scene.cais.ok(["list", "--quiet"]), "", "nothing is left");
});

test("a state directory of something else is left alone", possible, async () => {
  await using scene = makeScene();
  const foreign = join(scene.cais.root, "foreign");
  mkdirSync(foreign, { recursive: true });
  writeFileSync(join(foreign, "state.json"), '{"id":"foreign","init_process_pid":1}');
  for (const command of ["state", "start", "kill", "delete"]) {
    const ended = await scene.cais.run([command, "foreign"]);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /written by something else than this runtime/);
  }
  const forced = await scene.cais.run(["delete", "--force", "foreign"]);
  assert.equal(forced.code, 1);
  assert.ok(existsSync(join(foreign, "state.json")), "it is still there");
  // What looks like ours, but names the cgroup of everybody, or is not whole.
  await scene.cais.ok(["create", "--bundle", scene.bundle("own"), "own"]);
  const own = join(scene.cais.root, "own/state.json");
  const text = readFileSync(own, "utf8");
  // The front does not need the document.
  rmSync(join(scene.cais.root, "own/quick"), { force: true });
  for (const change of [
    { cgroup: "/" },
    { cgroup: "/a/../.." },
    { cgroup: "" },
    { process: null },
    { late: 5 },
  ]) {
    writeFileSync(own, JSON.stringify({ ...(JSON.parse(text) as object), ...change }));
    for (const command of [
      ["state", "own"],
      ["delete", "--force", "own"],
    ])
      assert.match(
        (await scene.cais.run(command)).stderr,
        /written by something else/,
        JSON.stringify(change),
      );
  }
  writeFileSync(own, text);
  assert.equal((await scene.cais.state("own")).status, "created");
  assert.match(
    (await scene.cais.run(["create", "--bundle", scene.bundle("b"), "foreign"])).stderr,
    /already exists/,
  );
});
