import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { makeScene } from "./scene.ts";

const possible = needs(root(), busyboxMissing());

/** `sh` with a pid of its own that becomes the command, so that it can be killed in the middle. */
async function killedAfter(milliseconds: number, program: string, args: readonly string[]): Promise<boolean> {
  const child = spawn(program, args, { stdio: "ignore" });
  const ended = once(child, "exit");
  const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
  const [, signal] = await ended;
  clearTimeout(timer);
  return signal === "SIGKILL";
}

test("a create that is killed at any moment leaves what delete --force clears away", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  let killed = 0;
  for (let moment = 5; moment < 200; moment += 6) {
    const bundle = scene.bundle("k");
    const args = ["--root", cais.root, "create", "--bundle", bundle, "k"];
    if (await killedAfter(moment, scene.program, args)) killed++;
    const state = await cais.run(["state", "k"]);
    if (state.code === 0) {
      const { status } = JSON.parse(state.stdout) as { status: string };
      assert.ok(["creating", "created", "stopped"].includes(status), status);
    }
    await cais.ok(["delete", "--force", "k"]);
    assert.ok(!existsSync(join(cais.root, "k")));
    assert.deepEqual(scene.cgroups(), [], `killed after ${moment} ms`);
  }
  assert.ok(killed > 0, "some were killed");
});

test("of two creates of one id one wins, whole", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  const bundles = [scene.bundle("one"), scene.bundle("two")];
  const both = await Promise.all(bundles.map((bundle) => cais.run(["create", "--bundle", bundle, "same"])));
  assert.deepEqual(both.map(({ code }) => code).sort(), [0, 1]);
  assert.match(both.find(({ code }) => code === 1)?.stderr ?? "", /container with given ID already exists/);
  await cais.ok(["start", "same"]);
  assert.equal((await cais.state("same")).status, "running");
});

test("a created process that dies is stopped, and start says so", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  await cais.ok(["create", "--bundle", scene.bundle("dies"), "dies"]);
  const { pid } = await cais.state("dies");
  process.kill(pid, "SIGKILL");
  const ended = await cais.run(["start", "dies"]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /cannot start a container that has stopped|unable to start/);
  await cais.ok(["delete", "dies"]);
});

test("a container outlives its bundle", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  const bundle = scene.bundle("b");
  await cais.ok(["create", "--bundle", bundle, "b"]);
  renameSync(bundle, `${bundle}.gone`);
  await cais.ok(["start", "b"]);
  assert.equal((await cais.run(["exec", "b", "sh", "-c", "exit 6"])).code, 6);
  await cais.ok(["delete", "--force", "b"]);
});

test("a pid that another process has is not the container", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  await cais.ok(["create", "--bundle", scene.bundle("reused"), "reused"]);
  const noted = join(cais.root, "reused", "process");
  // As if it had died and this process had its pid: the start time differs.
  const [, ...rest] = readFileSync(noted, "utf8").split(" ");
  const { pid } = await cais.state("reused");
  writeFileSync(noted, [String(process.pid), ...rest].join(" "));
  assert.equal((await cais.state("reused")).status, "stopped");
  assert.notEqual((await cais.run(["kill", "reused", "KILL"])).code, 0);
  await cais.ok(["delete", "--force", "reused"]);
  assert.ok(!existsSync(`/proc/${pid}/cmdline`) || readFileSync(`/proc/${pid}/cmdline`, "utf8") === "");
});

test("hostile bundles are refused, and nothing is left", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  const nowhere = join(scene.directory, "nowhere");
  const configs: readonly (readonly [string, RegExp])[] = [
    ["{", /not valid JSON/],
    ["[]", /must be an object/],
    ['{"ociVersion":"2.0.0"}', /version 2\.0\.0 is not understood/],
    ['{"ociVersion":"1.0.0"}', /is missing/],
  ];
  for (const [text, expected] of configs) {
    mkdirSync(nowhere, { recursive: true });
    writeFileSync(join(nowhere, "config.json"), text);
    const ended = await cais.run(["create", "--bundle", nowhere, "x"]);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, expected);
    rmSync(nowhere, { recursive: true });
  }
  const asRoot = scene.bundle("slash", { spec: { root: { path: "/" } } });
  assert.match(
    (await cais.run(["create", "--bundle", asRoot, "x"])).stderr,
    /Cannot use \/ as a container's root/,
  );
  const absent = scene.bundle("absent", { spec: { root: { path: "/no/such/root" } } });
  assert.match((await cais.run(["create", "--bundle", absent, "x"])).stderr, /it is not there/);
  assert.equal(await cais.ok(["list", "--quiet"]), "");
  assert.deepEqual(scene.cgroups(), []);
});

test("a link that somebody has put in the way of a pid file leads nowhere", possible, async () => {
  await using scene = makeScene();
  const { cais, directory } = scene;
  const [victim, pidFile] = [join(directory, "victim"), join(directory, "pid")];
  writeFileSync(victim, "precious");
  for (const link of [join(directory, ".pid"), pidFile]) symlinkSync(victim, link);
  await cais.ok(["create", "--bundle", scene.bundle("b"), "--pid-file", pidFile, "b"]);
  assert.equal(readFileSync(victim, "utf8"), "precious");
  assert.equal(Number(readFileSync(pidFile, "utf8")), (await cais.state("b")).pid);
  assert.ok(lstatSync(pidFile).isFile());
});
