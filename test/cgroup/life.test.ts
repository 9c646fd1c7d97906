import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { freeze, isFrozen, thaw } from "../../src/cgroup/freeze.ts";
import { killAll, signalAll } from "../../src/cgroup/kill.ts";
import { usedTrees } from "../../src/cgroup/limits.ts";
import { oomKills, watchOom } from "../../src/cgroup/oom.ts";
import { children, processes } from "../../src/cgroup/processes.ts";
import { remove } from "../../src/cgroup/remove.ts";
import { sample } from "../../src/cgroup/stats.ts";
import { needs, root } from "../support/skip.ts";
import { inside, layouts, scene } from "./scene.ts";

// These run on whatever layout the machine has: here natively, and on pure v2 in a virtual machine.
for (const [name, layout] of layouts()) {
  test(`${name}: a process that attaches itself is in every tree that limits`, needs(root()), async () => {
    await using it = scene({}, layout);
    const shell = await inside(it.plan, "exec sleep 1000");
    const own = readFileSync(`/proc/${shell.pid}/cgroup`, "utf8").trim().split("\n");
    assert.equal(own.filter((line) => line.endsWith(`:${it.cgroup}`)).length, usedTrees(it.layout).length);
  });

  test(`${name}: a frozen container does not run, and runs on afterwards`, needs(root()), async () => {
    await using it = scene({}, layout);
    const shell = await inside(it.plan, "while :; do :; done");
    await freeze(it.layout, it.cgroup);
    assert.equal(isFrozen(it.layout, it.cgroup), true);
    const used = sample(it.layout, it.cgroup).cpu_stats.cpu_usage.total_usage;
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(sample(it.layout, it.cgroup).cpu_stats.cpu_usage.total_usage, used);
    await thaw(it.layout, it.cgroup);
    assert.equal(isFrozen(it.layout, it.cgroup), false);
    process.kill(shell.pid, "SIGKILL");
    assert.deepEqual(await shell.exited, [null, "SIGKILL"]);
  });

  test(
    `${name}: killing takes every process, paused or not, and removal waits for the last`,
    needs(root()),
    async () => {
      await using it = scene({}, layout);
      const shell = await inside(it.plan, "sleep 1000 & sleep 1000 & sleep 1000 & wait");
      while (processes(it.layout, it.cgroup).length < 4)
        await new Promise((resolve) => setImmediate(resolve));
      assert.ok(processes(it.layout, it.cgroup).includes(shell.pid));
      await freeze(it.layout, it.cgroup);
      await killAll(it.layout, it.cgroup);
      await remove(it.layout, it.cgroup);
      assert.deepEqual(processes(it.layout, it.cgroup), []);
      assert.deepEqual(await shell.exited, [null, "SIGKILL"]);
      assert.ok(it.plan.directories.every((directory) => !existsSync(directory)));
      assert.deepEqual(children(it.parent), []);
      // Both may be called again.
      await killAll(it.layout, it.cgroup);
      await remove(it.layout, it.cgroup);
    },
  );

  test(`${name}: a signal reaches every process of a container`, needs(root()), async () => {
    await using it = scene({}, layout);
    const shell = await inside(it.plan, "while :; do read -r line; done", "trap 'exit 7' TERM");
    await signalAll(it.layout, it.cgroup, "SIGTERM");
    assert.deepEqual(await shell.exited, [7, null]);
  });

  test(`${name}: an allocation past the limit is killed and counted`, needs(root()), async () => {
    await using it = scene({ memory: { limit: 32 << 20, swap: 32 << 20 }, pids: { limit: 50 } }, layout);
    const told = Promise.withResolvers<number>();
    using watched = watchOom(it.layout, it.cgroup, told.resolve);
    const shell = await inside(it.plan, "exec dd if=/dev/zero of=/dev/null bs=200M count=1");
    assert.deepEqual(await shell.exited, [null, "SIGKILL"]);
    assert.ok(oomKills(it.layout, it.cgroup) >= 1);
    // Only cgroup v2 announces it.
    assert.equal(watched !== undefined, it.layout.controllers.get("memory")?.version === 2);
    if (watched !== undefined) assert.ok((await told.promise) >= 1);
    const stats = sample(it.layout, it.cgroup);
    assert.equal(stats.memory_stats.limit, 32 << 20);
    assert.equal(stats.pids_stats.limit, 50);
    assert.equal(stats.pids_stats.current, 0);
  });

  test(`${name}: statistics count what was used`, needs(root()), async () => {
    await using it = scene({ cpu: { quota: 10_000, period: 100_000 } }, layout);
    const shell = await inside(it.plan, "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exec sleep 1000");
    let stats = sample(it.layout, it.cgroup, shell.pid);
    while (stats.cpu_stats.throttling_data.throttled_periods === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      stats = sample(it.layout, it.cgroup, shell.pid);
    }
    assert.ok(stats.cpu_stats.cpu_usage.total_usage > 0);
    assert.ok((stats.cpu_stats.system_cpu_usage ?? 0) > stats.cpu_stats.cpu_usage.total_usage);
    assert.ok((stats.cpu_stats.online_cpus ?? 0) >= 1);
    assert.ok((stats.memory_stats.usage ?? 0) > 0);
    assert.ok(Object.keys(stats.memory_stats.stats ?? {}).length > 20);
    assert.equal(stats.pids_stats.current, 1);
  });

  test(`${name}: statistics of a cgroup that is gone are empty, not an error`, needs(root()), async () => {
    await using it = scene({}, layout);
    const gone = sample(it.layout, `${it.parent.cgroup}/gone`);
    assert.deepEqual(gone.memory_stats, {});
    assert.deepEqual(gone.pids_stats, {});
    assert.equal(gone.cpu_stats.cpu_usage.total_usage, 0);
  });
}
