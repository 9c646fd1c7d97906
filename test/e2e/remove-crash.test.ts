import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";

/**
 * The engine is killed at each call by which a removal changes a directory, one after the other: whatever the
 * moment, a container is there as a whole or not at all.
 */
const CALLS = "rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat";
/** A removal that needs more calls than this is not the one that the test was written for. */
const CALLS_MAX = 60;

const list = (path: string): string[] => (existsSync(path) ? readdirSync(path).sort() : []);

/** Kill the engine when its main thread enters call number `count` of those above. Resolves once it is watched. */
async function killAtCall(engine: TestEngine, count: number): Promise<() => Promise<void>> {
  const inject = `inject=${CALLS}:signal=KILL:when=${count}`;
  const strace = spawn("strace", ["-e", `trace=${CALLS}`, "-e", inject, "-p", String(engine.pid())], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(strace, "exit");
  await once(strace.stderr, "data");
  strace.stderr.resume();
  return async () => {
    strace.kill("SIGKILL");
    await ended;
  };
}

test("a removal that is cut short at any of its calls leaves a whole container or none", {
  ...needs(root(), busyboxMissing(), program("strace")),
  timeout: 120_000,
}, async () => {
  await using engine = await startEngine();
  await engine.ok(["import", busyboxTar(), "busybox"]);
  for (let count = 1, survived = false; !survived; count++) {
    assert.ok(count < CALLS_MAX, "the removal is never done");
    await engine.ok(["create", "--name", "one", "--network", "none", "busybox", "true"]);
    const unwatch = await killAtCall(engine, count);
    survived = (await engine.cais(["rm", "-f", "one"])).code === 0;
    await unwatch();
    await engine.kill();
    await engine.start();

    const all = (await engine.ok(["ps", "-aq", "--no-trunc"])).split("\n").filter(Boolean);
    const snapshots = join(engine.root, "snapshots/overlay2");
    const at = `killed at call ${count}`;
    assert.deepEqual(list(join(snapshots, "w")), all, `${at}: snapshots`);
    assert.deepEqual(list(join(engine.root, "containers")), all, `${at}: records`);
    assert.deepEqual(list(join(snapshots, "removed")), [], `${at}: rubbish`);
    if (all.length === 0) continue;
    await engine.ok(["start", "one"]);
    await engine.ok(["rm", "-f", "one"]);
  }
});
