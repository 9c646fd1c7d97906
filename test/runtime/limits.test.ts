import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { busyboxMissing } from "../support/fixtures.ts";
import { readCgroup } from "../support/process.ts";
import { needs, program, root } from "../support/skip.ts";
import { makeScene, untilStatus } from "./scene.ts";

const possible = needs(root(), busyboxMissing());
const beside = needs(root(), busyboxMissing(), program("runc"));

const MEMORY = { v1: "memory.limit_in_bytes", v2: "memory.max" };
const PIDS = { v1: "pids.max", v2: "pids.max" };

test("limits are those of the configuration, and update changes what it names", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  const bundle = scene.bundle("l", {
    linux: { resources: { memory: { limit: 64 << 20 }, pids: { limit: 33 } } },
  });
  await cais.ok(["run", "--detach", "--bundle", bundle, "l"]);
  const { pid } = await cais.state("l");
  assert.equal(readCgroup(pid, "memory", MEMORY), String(64 << 20));
  assert.equal(readCgroup(pid, "pids", PIDS), "33");
  await cais.ok(["update", "--memory", "100m", "--pids-limit", "44", "l"]);
  assert.equal(readCgroup(pid, "memory", MEMORY), String(100 << 20));
  assert.equal(readCgroup(pid, "pids", PIDS), "44");
  await cais.ok(["update", "--resources", "-", "l"], {
    input: '{"memory":{"limit":83886080},"pids":{"limit":0}}',
  });
  assert.equal(readCgroup(pid, "memory", MEMORY), String(80 << 20));
  assert.equal(readCgroup(pid, "pids", PIDS), "44", "zero leaves it as it is");
  const ignored = await cais.run(["update", "--kernel-memory", "50M", "l"]);
  assert.equal(ignored.code, 0);
  assert.match(ignored.stderr, /level=warning msg="--kernel-memory is ignored/);
  const refused = await cais.run(["update", "--resources", "-", "l"], {
    input: '{"memory":{"limit":"much"}}',
  });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /resources\.memory\.limit/);
  assert.equal(readCgroup(pid, "memory", MEMORY), String(80 << 20));
});

test("a cgroup that is in use is refused: delete would kill who is in it", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  const bundle = scene.bundle("first");
  await cais.ok(["run", "--detach", "--bundle", bundle, "first"]);
  const ended = await cais.run(["create", "--bundle", bundle, "second"]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /container's cgroup is not empty: 1 process\(es\) found/);
  assert.equal((await cais.state("first")).status, "running");
  assert.equal(await cais.ok(["list", "--quiet"]), "first\n");
});

test("statistics have runc's shape", beside, async () => {
  await using scene = makeScene();
  const shape = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.slice(0, 1).map(shape)
      : typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shape(each)]))
        : typeof value;
  const args = ["sh", "-c", "head -c 3000000 /dev/zero > /dev/shm/x; exec sleep 1000"];
  const shapes: unknown[] = [];
  for (const runtime of [scene.runc, scene.cais]) {
    const bundle = scene.bundle(runtime.name, { args });
    await runtime.ok(["run", "--detach", "--bundle", bundle, "s"]);
    const event = JSON.parse(await runtime.ok(["events", "--stats", "s"])) as {
      data: Record<string, unknown>;
    };
    // What is zero is left out, and what that is depends on the moment.
    const { blkio, cpu, memory, ...rest } = event.data;
    const { cache: _, ...counted } = memory as Record<string, unknown>;
    assert.ok(blkio !== undefined && cpu !== undefined);
    shapes.push(shape({ ...event, data: { ...rest, memory: counted } }));
  }
  assert.deepEqual(shapes[1], shapes[0]);
});

test("events go on until the container has ended", possible, async () => {
  await using scene = makeScene();
  const { cais } = scene;
  await cais.ok(["run", "--detach", "--bundle", scene.bundle("ev"), "ev"]);
  const child = spawn(scene.program, ["--root", cais.root, "events", "--interval", "100ms", "ev"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  await once(child.stdout, "data");
  await cais.ok(["kill", "ev", "KILL"]);
  const [code] = await closed;
  assert.equal(code, 0);
  await untilStatus(cais, "ev", "stopped");
  assert.match((await cais.run(["events", "ev"])).stderr, /container with id ev is not running/);
});

test("features and spec are what schedulers and people expect", possible, async () => {
  await using scene = makeScene();
  const features = JSON.parse(await scene.cais.ok(["features"])) as {
    ociVersionMin: string;
    mountOptions: string[];
    linux: { cgroup: { systemd: boolean }; seccomp: { actions: string[] } };
  };
  assert.equal(features.ociVersionMin, "1.0.0");
  assert.ok(features.mountOptions.includes("rro"));
  assert.equal(features.linux.cgroup.systemd, true);
  assert.ok(features.linux.seccomp.actions.includes("SCMP_ACT_ERRNO"));
  assert.match(await scene.cais.ok(["--version"]), /^cais-runtime version \S+\ncommit: \S+\nspec: 1\.3/);
  const again = await scene.cais.run(["spec", "--bundle", scene.bundle("b")]);
  assert.match(again.stderr, /File config\.json exists/);
});
