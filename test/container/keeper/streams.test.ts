import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Running } from "../../../src/container/launcher.ts";
import { busyboxMissing } from "../../support/fixtures.ts";
import { needs, root } from "../../support/skip.ts";
import { streamsOf } from "../launch/output.ts";
import { makeScene, type Scene, shell } from "../launch/scene.ts";

// What goes through a keeper while the engine listens: streams, orders, exits, orphans.

const can = { ...needs(root(), busyboxMissing()), timeout: 20_000 };
let scene: Scene;

before(async () => {
  if (can.skip === undefined) scene = await makeScene();
});
after(() => scene?.[Symbol.asyncDispose]());

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** Reads the first output until it has `text`; what follows stays for later. */
async function until(running: Running, text: string): Promise<Reader> {
  const reader = streamsOf(running).stdout.getReader() as Reader;
  let seen = "";
  while (!seen.includes(text)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The output ended without ${text}: ${seen}`);
    seen += new TextDecoder().decode(value);
  }
  return reader;
}

async function rest(reader: Reader): Promise<string> {
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += new TextDecoder().decode(value);
  }
}

const children = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ").filter(Boolean).map(Number);

test("stdout and stderr are apart, and the exit code arrives", can, async () => {
  const { exit, stderr, stdout } = await scene.do(shell("echo one; echo two >&2; exit 200"));
  assert.deepEqual([stdout, stderr, exit.code, exit.signal], ["one\n", "two\n", 200, null]);
});

test("input arrives whole, in order, and ends when it is closed", can, async () => {
  const running = await scene.start("in", shell("sha256sum; echo over"), { request: { stdin: true } });
  const chunk = Buffer.alloc(300_000, "0123456789\n");
  const finished = scene.finish(running);
  for (let round = 0; round < 10; round++) await running.stdin?.write(chunk);
  running.stdin?.close();
  running.stdin?.close();
  const { stdout } = await finished;
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  for (let round = 0; round < 10; round++) hash.update(chunk);
  assert.equal(stdout, `${hash.digest("hex")}  -\nover\n`);
});

test("without input the process reads none", can, async () => {
  assert.equal((await scene.do(shell("cat; readlink /proc/self/fd/0"))).stdout, "/dev/null\n");
});

test("signals reach the process, and nobody once it has ended", can, async () => {
  const running = await scene.start(
    "sig",
    shell("trap 'echo got it; exit 9' USR1; echo ready; while :; do sleep 0.05; done"),
  );
  const reader = await until(running, "ready");
  running.signal(10);
  assert.equal(await rest(reader), "got it\n");
  assert.equal((await running.exited).code, 9);
  running.signal(9);
  running.resize(1, 1);
  running.release();
  running.signal(9);
});

test("a signal is told as such", can, async () => {
  const running = await scene.start("term", ["sleep", "1000"], { request: { init: true } });
  running.signal(15);
  const { exit } = await scene.finish(running);
  // The init's child was ended by it; an init ends with 128 + the signal.
  assert.equal(exit.code, 143);
  const killed = await scene.start("kill", ["sleep", "1000"]);
  killed.signal(9);
  const end = await scene.finish(killed);
  assert.deepEqual([end.exit.code, end.exit.signal], [137, 9]);
});

test("a terminal has the size it is given, and learns of another", can, async () => {
  const script =
    "trap 'stty size; exit' WINCH; tty; stty size; ls -l /dev/console | cut -c1; while :; do sleep 0.05; done";
  const running = await scene.start("tty", shell(script), {
    process: { terminal: true, consoleSize: { height: 33, width: 99 } },
  });
  const reader = await until(running, "33 99\r\nc\r\n");
  running.resize(50, 132);
  assert.equal(await rest(reader), "50 132\r\n");
  running.release();
});

test("Ctrl-C on a terminal interrupts, Ctrl-D ends the input", can, async () => {
  const wanted = { process: { terminal: true }, request: { stdin: true } };
  const running = await scene.start(
    "ctrl",
    shell("trap : INT; sh -c 'trap - INT; echo ready; exec sleep 1000'; cat; echo bye"),
    wanted,
  );
  const reader = await until(running, "ready");
  await running.stdin?.write(Buffer.from("\x03"));
  await running.stdin?.write(Buffer.from("text\n\x04"));
  const said = await rest(reader);
  assert.match(said, /text\r\ntext\r\nbye\r\n$/);
  assert.equal((await running.exited).code, 0);
  running.release();
});

for (const init of [false, true]) {
  test(
    `orphans are reaped by ${init ? "the init" : "the keeper, in the machine's pid namespace"}`,
    can,
    async () => {
      const script = "for n in 1 2 3 4 5; do (sh -c 'sleep 0.1 & exit' &); done; sleep 0.6; echo now; read x";
      const running = await scene.start(`orphans-${init}`, shell(script), {
        ...(init ? {} : { shared: ["pid"] as const }),
        request: { init, stdin: true },
      });
      const reader = await until(running, "now");
      const parent = init ? running.pid : running.keeper.pid;
      assert.equal(children(parent).length, 1);
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
        const path = `/proc/${pid}/stat`;
        const stat = existsSync(path) ? readFileSync(path, "latin1").split(") ")[1] : undefined;
        assert.ok(!stat?.startsWith(`Z ${parent} `), `process ${pid} is a zombie`);
      }
      running.stdin?.close();
      await rest(reader);
      await running.exited;
      running.release();
    },
  );
}

test("what a container leaves running in the machine's pid namespace ends with it", can, async () => {
  const running = await scene.start("left", shell("(setsid sleep 1234 &); sleep 0.1; echo up; exit 3"), {
    shared: ["pid"],
  });
  const { exit, stdout } = await scene.finish(running);
  assert.deepEqual([exit.code, stdout], [3, "up\n"]);
  await scene.quiet();
  assert.deepEqual(
    scene.cgroups().filter((path) => path.endsWith("/left")),
    [],
  );
});

test(
  "an exec has streams, an exit and a keeper of its own, and does not outlive its container",
  can,
  async () => {
    const container = await scene.start("with", ["sleep", "1000"]);
    const run = await scene.exec(container, shell("cat; echo e >&2; exit 5"), {}, true);
    const finished = scene.finish(run);
    await run.stdin?.write(Buffer.from("in\n"));
    run.stdin?.close();
    const { exit, stderr, stdout } = await finished;
    assert.deepEqual([exit.code, stdout, stderr], [5, "in\n", "e\n"]);
    const terminal = await scene.exec(container, shell("tty; stty size"), {
      terminal: true,
      consoleSize: { height: 11, width: 22 },
    });
    assert.match((await scene.finish(terminal)).stdout, /^\/dev\/pts\/\d\r\n11 22\r\n$/);
    const stays = await scene.exec(container, ["sleep", "1000"]);
    container.signal(9);
    await scene.finish(container);
    assert.equal((await scene.finish(stays)).exit.signal, 9);
  },
);

test("many at once: none waits for another, none is lost", can, async () => {
  const codes = await Promise.all(
    Array.from({ length: 16 }, async (_, index) => {
      const [upper, work] = [`upper-${index}`, `work-${index}`];
      for (const name of [upper, work]) mkdirSync(join(scene.directory, name));
      const rootfs = { kind: "overlay", base: scene.directory, lower: ["image"], upper, work } as const;
      const args = shell(`seq 1 2000; exit ${index}`);
      const running = await scene.start(`many-${index}`, args, { request: { rootfs } });
      const { exit, stdout } = await scene.finish(running);
      assert.equal(stdout.length, 8893);
      return exit.code;
    }),
  );
  assert.deepEqual(
    codes,
    Array.from({ length: 16 }, (_, index) => index),
  );
});
