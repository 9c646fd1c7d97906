import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { makeScene } from "./scene.ts";

// One config.json, run by this runtime and by runc: what the container sees is the same.

const beside = needs(root(), busyboxMissing(), program("runc"));

const LOOK = [
  "grep -e ^Cap -e ^Uid -e ^Gid -e ^Groups -e ^NoNew -e ^Seccomp: /proc/self/status",
  "cat /proc/self/limits /proc/self/oom_score_adj",
  // Without what differs from mount to mount, and from place to place.
  "cut -d' ' -f5,6 /proc/self/mountinfo | grep -v '^/sys/fs/cgroup' | sort",
  "ls -l /dev | sed 's/[A-Z][a-z][a-z] .*[0-9] //'",
  "hostname; umask; pwd; env | sort; ls /proc/self/fd | wc -l",
  "ip addr show lo | grep -c UP; cat /proc/self/cgroup | cut -d: -f2,3 | sort",
].join("; ");

test("the configuration that runc spec writes is to its container what it is to runc's", beside, async () => {
  await using scene = makeScene();
  const bundle = scene.bundle("spec", { args: ["sh", "-c", LOOK] });
  const mine = await scene.cais.ok(["run", "--bundle", bundle, "mine"]);
  const theirs = await scene.runc.ok(["run", "--bundle", bundle, "theirs"]);
  const lines = (text: string) =>
    text
      .replaceAll(/\/(mine|theirs)\b/g, "/ID")
      .split("\n")
      .map((line) => line.replace(/ +/g, " "));
  assert.deepEqual(lines(mine), lines(theirs));
});

test("hooks of all kinds run in runc's order, with the same state", beside, async () => {
  await using scene = makeScene();
  const told = async (runtime: "cais" | "runc") => {
    const log = join(scene.directory, `${runtime}.log`);
    const hook = (kind: string) => [
      {
        path: "/bin/sh",
        args: ["sh", "-c", `(echo; echo ${kind}; cat; echo; pwd) >>${log}`],
        env: ["PATH=/bin:/usr/bin"],
      },
    ];
    const kinds = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"];
    const bundle = scene.bundle(`hooks-${runtime}`, {
      args: ["true"],
      spec: { hooks: Object.fromEntries(kinds.map((kind) => [kind, hook(kind)])), annotations: { a: "b" } },
    });
    await scene[runtime].ok(["create", "--bundle", bundle, "box"]);
    await scene[runtime].ok(["start", "box"]);
    await scene[runtime].run(["kill", "box", "KILL"]);
    for (let tries = 0; tries < 50; tries++) {
      if ((await scene[runtime].state("box")).status === "stopped") break;
      await new Promise((done) => setTimeout(done, 20));
    }
    await scene[runtime].ok(["delete", "box"]);
    return readFileSync(log, "utf8")
      .replaceAll(bundle, "BUNDLE")
      .replaceAll(/"pid":\d{2,}/g, '"pid":PID')
      .replaceAll(scene.rootfs, "BUNDLE/rootfs");
  };
  const [mine, theirs] = [await told("cais"), await told("runc")];
  const parsed = (text: string) =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => (line.startsWith("{") ? (JSON.parse(line.replace("PID", "1234")) as object) : line))
      // runc calls a started container created at that time, the specification running; each tells its own version.
      .map((line) => (typeof line === "object" ? { ...line, status: "", ociVersion: "" } : line))
      // Where delete is called is no matter of the container.
      .slice(0, -1);
  assert.deepEqual(parsed(mine), parsed(theirs));
});

test("fields that are wrong or impossible are refused in one sentence in the log", beside, async () => {
  await using scene = makeScene();
  for (const [name, linux, message] of [
    ["rdt", { intelRdt: { closID: "x" } }, /linux\.intelRdt: /],
    [
      "limit",
      { resources: { memory: { limit: "5m" as unknown as number } } },
      /linux\.resources\.memory\.limit: it must be/,
    ],
    [
      "class",
      { resources: { network: { classID: 5 } } },
      /linux\.resources\.network\.classID: it cannot be set: /,
    ],
  ] as const) {
    const bundle = scene.bundle(name, { args: ["true"], linux });
    const log = join(scene.directory, `${name}.json`);
    const { code, stderr } = await scene.cais.run([
      "--log",
      log,
      "--log-format",
      "json",
      "run",
      "--bundle",
      bundle,
      name,
    ]);
    assert.equal(code, 1, stderr);
    const said = readFileSync(log, "utf8").trim().split("\n");
    assert.match((JSON.parse(said.at(-1) ?? "{}") as { msg: string }).msg, message);
    assert.deepEqual(scene.cgroups(), []);
  }
});
