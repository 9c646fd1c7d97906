import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  describeDifference,
  differences,
  lookAtMachine,
  type Machine,
  settledDifferences,
} from "./machine.ts";
import { needs, root } from "./skip.ts";

/** What these tests leave themselves; on a machine with other engines their containers come and go meanwhile. */
const LEFT = /cais-left|sleep 1000/;
const since = (before: Machine): string[] =>
  differences(before, lookAtMachine())
    .map(describeDifference)
    .filter((line) => LEFT.test(line));
const settled = async (before: Machine): Promise<string[]> =>
  (await settledDifferences(before)).map(describeDifference).filter((line) => LEFT.test(line));

test("a file that is left behind is seen, and that it has gone", async () => {
  const before = lookAtMachine();
  const directory = mkdtempSync(join(tmpdir(), "cais-left-"));
  assert.ok(since(before).includes(`file left behind: ${directory}`));
  rmdirSync(directory);
  assert.deepEqual(await settled(before), []);
});

test("a mount that is left behind is seen", needs(root()), () => {
  const directory = mkdtempSync(join(tmpdir(), "cais-left-"));
  const before = lookAtMachine();
  spawnSync("mount", ["-t", "tmpfs", "left", directory]);
  try {
    assert.deepEqual(since(before), [`mount left behind: ${directory} (tmpfs of left)`]);
  } finally {
    spawnSync("umount", [directory]);
    rmdirSync(directory);
  }
});

test("a link is seen", needs(root()), async () => {
  const before = lookAtMachine();
  spawnSync("ip", ["link", "add", "cais-left", "type", "bridge"]);
  try {
    assert.deepEqual(since(before), ["link left behind: cais-left"]);
  } finally {
    spawnSync("ip", ["link", "del", "cais-left"]);
  }
  assert.deepEqual(await settled(before), []);
});

test("a process of a test is seen by the mark it inherits", async () => {
  const before = lookAtMachine();
  const env = { ...process.env, CAIS_TEST_MARK: process.env.CAIS_TEST_MARK ?? "a mark of this test" };
  process.env.CAIS_TEST_MARK = env.CAIS_TEST_MARK;
  const child = spawn("sleep", ["1000"], { env, stdio: "ignore" });
  try {
    assert.match(
      since(before).join("\n"),
      new RegExp(`^process left behind: ${child.pid} started at \\d+: .*sleep 1000$`, "m"),
    );
  } finally {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
});
