import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";

/** Output is logged once, however often the engine is killed while it comes. */
const can = { ...needs(root(), busyboxMissing()), timeout: 120_000 };
const KILLS = 10;
const ROUNDS = 250;

/** Equal lines, lines without a newline yet, long ones, and both streams; as fast as it goes, with short rests. */
const SCRIPT = `i=0; while [ $i -lt ${ROUNDS} ]; do i=$((i+1)); echo same; printf "part $i "; seq 1 300
printf '%20000d\\n' $i; echo "error $i" >&2; usleep 10000; done; printf end; exit 9`;

const numbers = Array.from({ length: 300 }, (_, index) => `${index + 1}\n`).join("");
const OUT = `${Array.from({ length: ROUNDS }, (_, index) => `same\npart ${index + 1} ${numbers}${String(index + 1).padStart(20_000)}\n`).join("")}end`;
const ERR = Array.from({ length: ROUNDS }, (_, index) => `error ${index + 1}\n`).join("");

test("kill -9 of the engine while a container writes: each message is in the log once", can, async () => {
  await using engine = await startEngine();
  await engine.ok(["import", busyboxTar(), "busybox"]);
  const start = (name: string, ...options: readonly string[]) =>
    engine.ok(["run", "-d", "--name", name, "--network", "none", ...options, "busybox", "sh", "-c", SCRIPT]);
  await start("plain");
  await start("rotated", "--log-opt", "max-size=100k", "--log-opt", "max-file=900");
  await start("silent", "--log-driver", "none");
  for (let kill = 0; kill < KILLS; kill++) {
    await pause(50 + Math.random() * 450);
    await engine.kill();
    await pause(Math.random() * 100);
    await engine.start();
  }
  for (const name of ["plain", "rotated", "silent"]) assert.equal(await engine.ok(["wait", name]), "9");
  // And once more with an end that has been written and not told.
  await engine.kill();
  await engine.start();
  for (const name of ["plain", "rotated"]) {
    const { stderr, stdout } = await engine.cais(["logs", name]);
    assert.ok(stdout === OUT, `${name}: stdout ${difference(stdout, OUT)}`);
    assert.ok(stderr === ERR, `${name}: stderr ${difference(stderr, ERR)}`);
  }
});

/** Where two texts differ first. */
function difference(found: string, expected: string): string {
  let at = 0;
  while (at < found.length && found[at] === expected[at]) at++;
  const part = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 40), at + 60));
  return `differs at ${at} of ${expected.length} (${found.length}): ${part(found)} instead of ${part(expected)}`;
}

test(
  "a container that nobody listens to stops at a bounded spool, and goes on with the next engine",
  can,
  async () => {
    await using engine = await startEngine();
    await engine.ok(["import", busyboxTar(), "busybox"]);
    const script = "sleep 1; seq 1 600000; echo over";
    const options = ["--log-opt", "max-size=100m", "--network", "none"];
    const id = await engine.ok(["run", "-d", "--name", "chatty", ...options, "busybox", "sh", "-c", script]);
    await engine.kill();
    const spool = join(engine.run, "containers", id, "stdout.spool");
    const used = () => (statSync(spool, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
    let before = 0;
    for (let size = used(); size === 0 || size !== before; size = used()) {
      before = size;
      await pause(200);
    }
    assert.ok(before >= 1 << 20, `${before} bytes are kept`);
    assert.ok(before < 1.5 * (1 << 20), `${before} bytes are kept`);
    await engine.start();
    assert.equal(await engine.ok(["wait", "chatty"]), "0");
    const expected = `${Array.from({ length: 600_000 }, (_, index) => `${index + 1}\n`).join("")}over`;
    const found = await engine.ok(["logs", "chatty"]);
    assert.ok(found === expected, difference(found, expected));
    assert.deepEqual(readdirSync(join(engine.run, "containers")), []);
  },
);
