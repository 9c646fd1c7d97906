import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { makeScene } from "./scene.ts";

const possible = needs(root(), busyboxMissing());

test("an exec takes the machine for what the container takes it for", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  const linux = { personality: { domain: "LINUX32" as const } };
  await cais.ok(["run", "--detach", "--bundle", scene.bundle("old", { linux }), "old"]);
  // PER_LINUX32 of linux/personality.h; what uname says of it depends on the machine.
  assert.equal(await cais.ok(["exec", "old", "cat", "/proc/1/personality"]), "00000008\n");
  assert.equal(await cais.ok(["exec", "old", "cat", "/proc/self/personality"]), "00000008\n");
});

test("a capability that an exec adds is ambient where some are inheritable", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  const two = ["CAP_CHOWN", "CAP_SYSLOG"];
  const sets = { bounding: two, effective: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"] };
  const ambientOf = async (name: string, inheritable: { inheritable?: string[] }) => {
    const bundle = scene.bundle(name, {
      process: { user: { uid: 1000, gid: 1000 }, capabilities: { ...sets, ...inheritable } },
    });
    await cais.ok(["run", "--detach", "--bundle", bundle, name]);
    const status = await cais.ok(["exec", "--cap", "CAP_SYSLOG", name, "cat", "/proc/self/status"]);
    return /^CapAmb:\t(.*)$/m.exec(status)?.[1];
  };
  assert.equal(await ambientOf("some", { inheritable: two }), "0000000400000000");
  assert.equal(await ambientOf("none", {}), "0000000000000000");
});

test("an ambient capability that cannot be is a warning", possible, async () => {
  await using scene = makeScene();
  const permitted = ["CAP_CHOWN", "CAP_KILL"];
  const capabilities = { bounding: permitted, permitted, inheritable: ["CAP_KILL"], ambient: permitted };
  const bundle = scene.bundle("some", {
    args: ["grep", "CapAmb", "/proc/self/status"],
    process: { capabilities },
  });
  const { stderr, stdout } = await scene.cais.run(["run", "--bundle", bundle, "some"]);
  assert.equal(stdout, "CapAmb:\t0000000000000020\n");
  assert.match(stderr, /can't raise ambient capability CAP_CHOWN: it is not inheritable/);
});

test("processors that the caller is bound to bind no process of a container", possible, async () => {
  await using scene = makeScene();
  const { cais, program } = scene;
  const look = ["grep", "Cpus_allowed_list", "/proc/self/status"];
  const bound = (...words: string[]) =>
    spawnSync("taskset", ["--cpu-list", "0", program, "--root", cais.root, ...words], { encoding: "utf8" })
      .stdout;
  const cpus = readFileSync("/sys/devices/system/cpu/online", "utf8").trim();
  assert.equal(
    bound("run", "--bundle", scene.bundle("run", { args: look }), "run"),
    `Cpus_allowed_list:\t${cpus}\n`,
  );
  await cais.ok(["run", "--detach", "--bundle", scene.bundle("box"), "box"]);
  assert.equal(bound("exec", "box", ...look), `Cpus_allowed_list:\t${cpus}\n`);
});
