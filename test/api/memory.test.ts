import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { memoryOf } from "../support/process.ts";
import { needs, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";
import { ask } from "./peer/ask.ts";

/** What an engine keeps in memory: little when it has nothing to do, and not more because much was written. */
const options = needs(root(), busyboxMissing());
const IMAGE = "busybox:memory";
const MIB = 1024;

let engine: TestEngine;
suiteEngine(options, IMAGE, (started) => {
  engine = started;
});

/** KiB of one kind: `VmRSS`, `RssFile`, `RssAnon`. */
const memory = (kind: string): number => memoryOf(engine.pid(), kind);

test("a quiet engine gives its program's memory back, and works on", options, async () => {
  for (let each = 0; each < 20; each++) await engine.ok(["run", "--rm", "--network", "none", IMAGE, "true"]);
  const before = memory("RssFile");
  // Nothing tells that the engine thinks it is quiet: this is longer than it takes to think so.
  await setTimeout(10_000);
  const quiet = memory("RssFile");
  assert.ok(quiet < before - 15 * MIB, `${before} KiB before, ${quiet} KiB when quiet`);
  assert.ok(memory("VmRSS") < 64 * MIB, `${memory("VmRSS")} KiB in all`);
  assert.equal(
    await engine.ok(["run", "--rm", "--network", "none", IMAGE, "echo", "still here"]),
    "still here",
  );
});

test("the engine does not grow while a container writes as fast as it can", options, async () => {
  const pour = ["sh", "-c", "yes 0123456789012345678901234567890123456789 | head -c 64m"];
  const run = ["run", "-d", "--network", "none", "--name", "pour", IMAGE];
  // What it needs for writing at all.
  await engine.ok([...run.slice(0, 2), "--rm", "--network", "none", IMAGE, "sh", "-c", "yes | head -c 1m"]);
  const before = memory("RssAnon");
  await engine.ok([...run, ...pour]);
  let ended = false;
  const end = engine.ok(["wait", "pour"]).finally(() => {
    ended = true;
  });
  let most = 0;
  while (!ended) {
    await ask(engine.socket, { method: "GET", path: "/_ping" });
    most = Math.max(most, memory("RssAnon"));
  }
  await end;
  await engine.ok(["rm", "pour"]);
  assert.ok(most - before < 24 * MIB, `from ${before} to ${most} KiB`);
});
