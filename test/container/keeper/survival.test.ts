import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { createLauncher, type OwnedLauncher } from "../../../src/container/keeper/launcher.ts";
import { isEnded, type Running } from "../../../src/container/launcher.ts";
import { busyboxMissing } from "../../support/fixtures.ts";
import { needs, root } from "../../support/skip.ts";
import { outputOf, streamsOf } from "../launch/output.ts";
import { makeScene, type Scene, shell, type Wanted } from "../launch/scene.ts";
import { killWhileLaunching, startElsewhere } from "./crash.ts";

// What a container's keeper does while no engine is there, and when it is killed itself.

const can = { ...needs(root(), busyboxMissing()), timeout: 20_000 };
let scene: Scene;
/** The engine of this process; only one at a time may hear the reports. */
let engine: OwnedLauncher | undefined;

before(async () => {
  if (can.skip !== undefined) return;
  scene = await makeScene();
  mkdirSync(join(scene.run, "containers"));
  await scene.launcher.close();
});
afterEach(async () => {
  await engine?.close();
  engine = undefined;
});
after(() => scene?.[Symbol.asyncDispose]());

/** An engine comes up in this process. */
async function comeUp(): Promise<OwnedLauncher> {
  const { layout, programs, run } = scene;
  engine ??= await createLauncher({ run, programs, layout });
  return engine;
}

async function start(id: string, args: readonly string[], wanted: Wanted): Promise<Running> {
  return (await comeUp()).start(scene.request(id, args, wanted));
}

const runDir = (id: string) => join(scene.run, "containers", id);
const adopt = async (id: string) => (await comeUp()).adopt(id, runDir(id));

async function adopted(id: string): Promise<Running> {
  const found = await adopt(id);
  assert.ok(found !== null && !isEnded(found), `${id} is not running: ${JSON.stringify(found)}`);
  return found;
}

/** Resolves when a process is gone. Ends of processes that are not ours are told by nobody. */
async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 500 && existsSync(`/proc/${pid}/stat`); tries++) {
    if (readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ")) return;
    await new Promise((done) => setTimeout(done, 10));
  }
  assert.ok(!existsSync(`/proc/${pid}`), `process ${pid} is still there`);
}

/** Nothing is left of a start, once its keeper has undone what it made. */
async function clean(id: string): Promise<void> {
  const left = () => readdirSync(join(scene.run, "containers")).filter((name) => name.split(".")[0] === id);
  for (let tries = 0; tries < 100 && left().length > 0; tries++)
    await new Promise((done) => setTimeout(done, 10));
  assert.deepEqual(left(), []);
  assert.deepEqual(readdirSync(scene.programs), []);
  await scene.quiet();
  assert.deepEqual(scene.cgroups(), []);
}

for (const terminal of [false, true]) {
  const kind = terminal ? "a terminal" : "pipes";

  test(
    `a container with ${kind} goes on when the engine is killed, and a later engine takes it up`,
    can,
    async () => {
      const id = `on-${terminal}`;
      const script = "echo first; read x; echo got $x; read y; echo got $y; exit 7";
      const wanted = { process: { terminal }, request: { stdin: true } };
      const other = await startElsewhere(scene, id, shell(script), wanted, "first");
      await other.kill();
      const running = await adopted(id);
      assert.equal(running.pid, other.pid);
      assert.equal(running.keeper.pid, other.keeper);
      await running.stdin?.write(Buffer.from("one\n"));
      await running.stdin?.write(Buffer.from("two\n"));
      const { exit, stdout } = await scene.finish(running);
      assert.match(stdout, /got one\r?\n(?:.*\r?\n)*got two\r?\n$/);
      assert.equal(exit.code, 7);
      await clean(id);
    },
  );

  test(`what a container with ${kind} writes while there is no engine is kept`, can, async () => {
    const id = `kept-${terminal}`;
    const script = "echo first; read x; for n in 1 2 3; do echo line $n; done; cat > /dev/null";
    const wanted = { process: { terminal }, request: { stdin: true } };
    const other = await startElsewhere(scene, id, shell(script), wanted, "first");
    await other.kill();
    const running = await adopted(id);
    await running.stdin?.write(Buffer.from("go\n"));
    running.signal(15);
    running.signal(9);
    const { exit, stdout } = await scene.finish(running);
    assert.equal(exit.code, 137);
    // It may have been killed before it wrote; what it wrote comes whole, and once more what nobody has noted.
    assert.match(stdout.replaceAll("\r", ""), /^(first\n)?(go\n)?(line 1\n(line 2\n(line 3\n)?)?)?$/);
  });

  test(`the end and the last words of a container with ${kind} outlive the engine`, can, async () => {
    const id = `end-${terminal}`;
    const script = "echo first; sleep 0.5; seq 1 8000; echo error >&2; exit 42";
    const other = await startElsewhere(scene, id, shell(script), { process: { terminal } }, "first");
    await other.kill();
    await gone(other.keeper);
    const record = readFileSync(join(runDir(id), "exit"));
    assert.equal(record.length, 512);
    const found = await adopt(id);
    assert.ok(found !== null && isEnded(found));
    assert.equal(found.exited.code, 42);
    assert.ok(Date.parse(found.exited.at) > Date.parse(found.startedAt ?? ""));
    const { stderr, stdout } = await outputOf(found);
    const numbers = Array.from({ length: 8000 }, (_, index) => `${index + 1}\n`).join("");
    assert.equal(
      stdout.replaceAll("\r", "").replace(/^first\n/, ""),
      terminal ? `${numbers}error\n` : numbers,
    );
    assert.equal(stderr, terminal ? "" : "error\n");
    found.release();
    await clean(id);
  });

  test(`ten megabytes through ${kind} arrive whole at a slow reader`, can, async () => {
    const script = `${terminal ? "stty -opost; " : ""}i=0; while [ $i -lt 160 ]; do seq 1 11000; i=$((i+1)); done`;
    const running = await start(`big-${terminal}`, shell(script), { process: { terminal } });
    const hash = createHash("sha256");
    let size = 0;
    let pauses = 0;
    for await (const chunk of streamsOf(running).stdout) {
      hash.update(chunk);
      size += chunk.length;
      // A reader that is late now and then: the pipe is full meanwhile.
      if (size > pauses * (1 << 20)) {
        pauses++;
        await new Promise((done) => setTimeout(done, 20));
      }
    }
    const exit = await running.exited;
    running.release();
    const once = Array.from({ length: 11_000 }, (_, index) => `${index + 1}\n`).join("");
    const expected = createHash("sha256");
    for (let round = 0; round < 160; round++) expected.update(once);
    assert.equal(size, once.length * 160);
    assert.equal(hash.digest("hex"), expected.digest("hex"));
    assert.equal(exit.code, 0);
  });

  test(`the engine learns that the keeper of a container with ${kind} was killed`, can, async () => {
    const running = await start(`killed-${terminal}`, ["sleep", "1000"], { process: { terminal } });
    process.kill(running.keeper.pid, "SIGKILL");
    const { exit } = await scene.finish(running);
    assert.deepEqual([exit.code, exit.signal], [137, 9]);
    await gone(running.pid);
    await clean(`killed-${terminal}`);
  });

  test(`an engine that took up a container with ${kind} learns that its keeper was killed`, can, async () => {
    const id = `orphan-${terminal}`;
    const other = await startElsewhere(scene, id, ["sleep", "1000"], { process: { terminal } });
    await other.kill();
    const running = await adopted(id);
    const finished = scene.finish(running);
    process.kill(other.keeper, "SIGKILL");
    const { exit } = await finished;
    assert.deepEqual([exit.code, exit.signal], [137, 9]);
    await gone(other.pid);
    await clean(id);
  });
}

test("a keeper that was killed while no engine was there leaves nothing", can, async () => {
  const other = await startElsewhere(scene, "both", ["sleep", "1000"]);
  await other.kill();
  process.kill(other.keeper, "SIGKILL");
  await gone(other.pid);
  assert.equal(await adopt("both"), null);
  await clean("both");
});

// It starts some dozens of engines.
const patient = { ...can, timeout: 90_000 };
test(
  "an engine killed at any moment of a launch leaves a container that runs, or nothing",
  patient,
  async () => {
    const outcomes = { running: 0, ended: 0, nothing: 0 };
    // From before the launch until well after it: how long it takes depends on the machine.
    for (let microseconds = 0; microseconds < 200_000 && outcomes.running < 8; microseconds += 1_000) {
      const id = `moment-${microseconds}`;
      await killWhileLaunching(scene, id, shell("echo hello; sleep 0.3"), microseconds);
      // As an engine does it that is started at once.
      const found = await adopt(id);
      if (found === null) {
        outcomes.nothing++;
      } else if (isEnded(found)) {
        outcomes.ended++;
        assert.equal(found.exited.code, 0);
        found.release();
      } else {
        outcomes.running++;
        const { exit, stdout } = await scene.finish(found);
        assert.equal(exit.code, 0);
        assert.equal(stdout, "hello\n");
      }
      await clean(id);
    }
    assert.ok(outcomes.nothing > 0 && outcomes.running + outcomes.ended > 0, JSON.stringify(outcomes));
  },
);

test("what a crash leaves of a note or a directory is cleared up", can, async () => {
  mkdirSync(runDir("damaged"), { recursive: true });
  writeFileSync(`${runDir("damaged")}.json`, '{"token": "');
  assert.equal(await adopt("damaged"), null);
  await clean("damaged");
  mkdirSync(runDir("bare"));
  assert.equal(await adopt("bare"), null);
  await clean("bare");
});

test("a start whose directory is in use is refused and disturbs nobody", can, async () => {
  const running = await start("twice", shell("read x; echo $x"), { request: { stdin: true } });
  await assert.rejects(start("twice", ["true"], {}), /is there already/);
  await running.stdin?.write(Buffer.from("still here\n"));
  assert.equal((await scene.finish(running)).stdout, "still here\n");
  await clean("twice");
});
