import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { check } from "../../src/cgroup/check.ts";
import { readLayout } from "../../src/cgroup/layout.ts";
import { prepareParent } from "../../src/cgroup/parent.ts";
import { update } from "../../src/cgroup/update.ts";
import { needs, root } from "../support/skip.ts";
import { inside, scene } from "./scene.ts";

// test/vm/cgroup.test.ts runs these in a virtual machine; most machines that have v2 alone run them natively.
const v2 =
  readLayout().mode === "v2" ? undefined : "no machine with cgroup v2 alone (see test/vm/cgroup.test.ts)";
const read = (file: string) => readFileSync(file, "utf8").trim();

test("the parent gives every controller to its children", needs(root(), v2), async () => {
  await using it = scene();
  const own = new Set(read(`${it.at("cpu")}/cgroup.controllers`).split(" "));
  for (const name of it.layout.unified?.controllers ?? []) assert.ok(own.has(name), name);
});

test("limits are in v2's units", needs(root(), v2), async () => {
  await using it = scene({
    cpu: { shares: 512, quota: 20_000, period: 100_000, cpus: "0", mems: "0" },
    memory: { limit: 48 << 20, swap: 96 << 20, reservation: 24 << 20 },
    pids: { limit: 17 },
    unified: { "memory.high": String(40 << 20) },
  });
  const at = it.at("cpu");
  const expected = {
    "cpu.weight": "59",
    "cpu.max": "20000 100000",
    "cpuset.cpus": "0",
    "cpuset.mems": "0",
    "memory.max": String(48 << 20),
    "memory.swap.max": String(48 << 20),
    "memory.low": String(24 << 20),
    "memory.high": String(40 << 20),
    "pids.max": "17",
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(read(`${at}/${name}`), value, name);
});

test("a running container is updated, or left as it was", needs(root(), v2), async () => {
  await using it = scene({ cpu: { quota: 20_000, period: 100_000 }, memory: { limit: 64 << 20 } });
  const shell = await inside(it.plan, "exec sleep 1000");
  update(it.parent, it.cgroup, {
    cpu: { quota: -1 },
    memory: { limit: 32 << 20, swap: -1 },
    pids: { limit: -1 },
  });
  assert.equal(read(`${it.at("cpu")}/cpu.max`), "max 100000");
  assert.equal(read(`${it.at("cpu")}/memory.max`), String(32 << 20));
  assert.equal(read(`${it.at("cpu")}/memory.swap.max`), "max");
  assert.throws(() => update(it.parent, it.cgroup, { cpu: { shares: 2048, cpus: "77" } }), {
    message: /^Cannot set cpu\.cpus: /,
  });
  assert.equal(read(`${it.at("cpu")}/cpu.weight`), "100");
  assert.throws(() => update(it.parent, it.cgroup, { memory: { limit: 4096, checkBeforeUpdate: true } }), {
    message: /the container uses \d+ bytes, the new limit is 4096/,
  });
  process.kill(shell.pid, "SIGKILL");
});

test("what v2 lacks is named", needs(root(), v2), async () => {
  await using it = scene();
  const { warnings, errors } = check(it.parent, { memory: { swappiness: 10 }, cpu: { realtimeRuntime: 5 } });
  assert.deepEqual(warnings, ["Memory swappiness is discarded: cgroup v2 has nothing like it"]);
  assert.deepEqual(errors, ["The realtime CPU time cannot be set: cgroup v2 has nothing like it"]);
});

test("in a delegated subtree the processes at its top make way", needs(root(), v2), async () => {
  await using it = scene();
  // A cgroup that has both processes and, from now on, controllers to give: the kernel calls it busy.
  const shell = await inside(it.plan, "exec sleep 1000");
  const top = { ...it.layout.unified, path: it.at("cpu") };
  const layout = { ...it.layout, unified: top, hierarchies: [top], controllers: new Map([["cpuset", top]]) };
  const inner = prepareParent(layout as typeof it.layout, "/cais");
  assert.ok(inner.files.get(top.path)?.has("memory.max"));
  assert.match(read(`/proc/${shell.pid}/cgroup`), /\/one\/cais-init$/);
  writeFileSync(`${top.path}/cgroup.kill`, "1");
});
