import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";

/** The files of a container with users of its own. */
const can = needs(root(), busyboxMissing());
let engine: TestEngine;

suiteEngine(can, "busybox", (started) => {
  engine = started;
});

const OPTIONS = ["--network", "none", "--userns", "uid=0:100000:65536,gid=0:200000:65536"] as const;
const run = (...args: readonly string[]) => engine.ok(["run", "--rm", ...OPTIONS, ...args]);

test("its root can write, copy up, rename and remove in an image whose files are root's", can, async () => {
  const script = [
    "touch /new; chown 1000:1001 /new; stat -c '%u:%g' /new",
    "echo more >> /etc/passwd; stat -c '%u:%g' /etc/passwd",
    "mv /home /house; mkdir /home; stat -c '%u:%g' /home /house",
    "rm /bin/true; test -e /bin/true || echo gone",
  ].join("\n");
  assert.equal(await run("busybox", "sh", "-ec", script), "1000:1001\n0:0\n0:0\n0:0\ngone");
});

test("another of its users has only that one's rights", can, async () => {
  const script = "touch /tmp/mine; stat -c '%u:%g' /tmp/mine; touch /mine 2>/dev/null || echo no";
  assert.equal(await run("-u", "1000:1001", "busybox", "sh", "-c", script), "1000:1001\nno");
});

test(
  "what it makes belongs to the image's users on disk: a commit of it runs without a user namespace",
  can,
  async () => {
    const id = await engine.ok([
      ...["create", ...OPTIONS, "busybox"],
      ...["sh", "-c", "touch /theirs; chown 7:8 /theirs"],
    ]);
    await engine.ok(["start", id]);
    await engine.ok(["wait", id]);
    await engine.ok(["commit", id, "theirs"]);
    const options = ["run", "--rm", "--network", "none", "theirs"];
    assert.equal(await engine.ok([...options, "stat", "-c", "%u:%g", "/theirs"]), "7:8");
  },
);

test("its volumes are within its reach, through directories that are not", can, async () => {
  const script = "echo there > /v/file; stat -c '%u' /v/file; cat /v/file";
  assert.equal(await run("-v", "vol:/v", "busybox", "sh", "-c", script), "0\nthere");
  assert.equal(await run("-v", "vol:/v", "busybox", "cat", "/v/file"), "there");
});
