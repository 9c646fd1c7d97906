import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { CALL_HEAD, FRONT_ANSWER, ORDER } from "../../src/wire/front.ts";
import { builtProgram } from "../support/built.ts";
import { type CommandOptions, command } from "../support/cais.ts";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { fakeEngine, order } from "./fake.ts";

/**
 * A JavaScript runtime reserves far more addresses than this: what runs with so few is the front alone.
 */
const ALONE = ["sh", "-c", 'ulimit -v 200000; exec "$@"', "sh"] as const;

const ready = needs(root(), busyboxMissing());
let program = "";
let engine: TestEngine;

before(async () => {
  if (ready.skip) return;
  program = builtProgram();
  engine = await startEngine([], program);
  await engine.ok(["import", busyboxTar(), "box"]);
});

after(async () => {
  if (ready.skip) return;
  await engine[Symbol.asyncDispose]();
  rmSync(dirname(program), { recursive: true });
});

const alone = (words: readonly string[], options: CommandOptions = {}) =>
  command(ALONE[0], [...ALONE.slice(1), program, ...words], {
    ...options,
    env: { ...engine.env, ...options.env },
  });

test("commands run in the engine: output, errors and exit codes are the command's", ready, async () => {
  const listed = await alone(["ps", "--format", "{{.Names}}"]);
  assert.deepEqual(listed, { code: 0, stdout: "", stderr: "" });
  const ran = await alone(["run", "--rm", "box", "sh", "-c", "echo out; echo err >&2; exit 7"]);
  assert.deepEqual(ran, { code: 7, stdout: "out\n", stderr: "err\n" });
  const refused = await alone(["inspect", "nobody"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /No such object: nobody/);
  const unknown = await alone(["frobnicate"]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /unknown command/);
  assert.equal((await alone(["run", "--rm", "box", "nothing-there"])).code, 127);
});

test("exec's output and exit code come through", ready, async () => {
  await engine.ok(["run", "-d", "--name", "held", "box", "sleep", "1000"]);
  assert.deepEqual(await alone(["exec", "held", "sh", "-c", "echo in; exit 3"]), {
    code: 3,
    stdout: "in\n",
    stderr: "",
  });
  await engine.ok(["rm", "-f", "held"]);
});

test("environment and directory are the caller's", ready, async () => {
  const directory = mkdtempSync(join(tmpdir(), "cais-front-"));
  mkdirSync(join(directory, "sub"));
  writeFileSync(join(directory, "sub/file"), "here");
  try {
    const words = ["run", "--rm", "-e", "MINE", "-e", "NONE", "-v", "./sub:/there", "box"];
    const ended = await alone([...words, "sh", "-c", "echo $MINE-$NONE; cat /there/file"], {
      cwd: directory,
      env: { MINE: "ä b" },
    });
    assert.deepEqual(ended, { code: 0, stdout: "ä b-\nhere", stderr: "" });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("times are told in the caller's zone", ready, async () => {
  await engine.ok(["create", "--name", "dated", "box", "true"]);
  const words = ["ps", "-a", "--format", "{{.CreatedAt}}"];
  const told = await engine.cais(words, { env: { TZ: "Etc/GMT+5" } });
  assert.match(told.stdout, / -0500 /);
  assert.doesNotMatch((await engine.cais(words)).stdout, / -0500 /);
  await engine.ok(["rm", "dated"]);
});

test("much output comes through a reader that is slow", ready, async () => {
  const words = [program, "run", "--rm", "box", "sh", "-c", "yes 0123456789abcde | head -c 8000000"];
  const script = `"$@" | { sleep 0.5; wc -c; }`;
  const ended = await command("sh", ["-c", script, "sh", ...words], { env: engine.env });
  assert.equal(ended.stdout.trim(), "8000000");
});

test("a reader that goes away ends the command as SIGPIPE does", ready, async () => {
  const script = `{ "$@"; echo $? >&2; } | head -c 1 >/dev/null`;
  const words = [program, "run", "--rm", "--name", "chatty", "box", "yes"];
  const ended = await command("sh", ["-c", script, "sh", ...words], { env: engine.env });
  assert.equal(ended.stderr.trim(), "141");
  // Nobody hears it, and it goes on, as Docker's does.
  await engine.ok(["rm", "-f", "chatty"]);
});

test("what needs the caller's files, input or terminal is run by the caller", ready, async () => {
  const directory = mkdtempSync(join(tmpdir(), "cais-front-"));
  try {
    const at = (name: string) => join(directory, name);
    writeFileSync(at("env"), "FROM=file\n");
    const run = (words: readonly string[], options?: CommandOptions) => engine.cais(words, options);
    assert.equal((await run(["run", "--rm", "-i", "box", "cat"], { input: "typed" })).stdout, "typed");
    assert.match((await run(["run", "--rm", "--env-file", at("env"), "box", "env"])).stdout, /FROM=file/);
    const made = await run(["create", "--name", "noted", "--cidfile", at("id"), "box", "true"]);
    assert.equal(readFileSync(at("id"), "utf8"), made.stdout.trim());
    assert.equal((await run(["cp", at("env"), "noted:/env"])).code, 0);
    assert.equal((await run(["container", "prune"], { input: "n\n" })).code, 0);
    assert.equal(await engine.ok(["ps", "-a", "--format", "{{.Names}}"]), "noted");
    await engine.ok(["rm", "noted"]);
    // And it does so before anything is done: two containers would be there otherwise.
    assert.equal(await engine.ok(["ps", "-aq"]), "");
    assert.notEqual((await alone(["run", "-i", "box", "true"])).code, 0);
    assert.equal(await engine.ok(["ps", "-aq"]), "");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("signals reach the container", ready, async () => {
  const script = 'trap "echo got; exit 9" TERM WINCH; echo ready; while :; do sleep 0.1; done';
  // Some servers take SIGWINCH for "end in peace".
  for (const signal of ["SIGTERM", "SIGWINCH"] as const) {
    const { child, output } = begin(["run", "--rm", "box", "sh", "-c", script]);
    await output("ready");
    child.kill(signal);
    const [code] = await once(child, "close");
    assert.equal(code, 9, signal);
  }
});

test("signals that a command has no use for do to the front what they do", ready, async () => {
  await engine.ok(["run", "-d", "--name", "talker", "box", "sh", "-c", "echo said; exec sleep 1000"]);
  const { child, output } = begin(["logs", "-f", "talker"]);
  await output("said");
  // That one does nothing to who is not stopped.
  child.kill("SIGCONT");
  const closed = once(child, "close");
  child.kill("SIGINT");
  assert.equal((await closed)[1], "SIGINT");
  await engine.ok(["rm", "-f", "talker"]);
});

test(
  "a front that is killed leaves nothing open in the engine, and its container runs on",
  ready,
  async () => {
    await alone(["ps"]);
    const open = () => readdirSync(`/proc/${engine.pid()}/fd`).length;
    const earlier = open();
    const { child, output } = begin([
      "run",
      "--name",
      "orphan",
      "box",
      "sh",
      "-c",
      "echo on; exec sleep 1000",
    ]);
    await output("on");
    child.kill("SIGKILL");
    await once(child, "close");
    assert.equal(await engine.ok(["inspect", "-f", "{{.State.Running}}", "orphan"]), "true");
    await engine.ok(["rm", "-f", "orphan"]);
    await alone(["ps"]);
    // Connections that are kept for the next command may be more than they were.
    assert.ok(open() <= earlier + 8, `${open()} descriptors, ${earlier} earlier`);
  },
);

test("an engine that is killed is told of; another one answers", ready, async () => {
  const { child, output } = begin(["run", "--rm", "box", "sh", "-c", "echo on; exec sleep 1000"]);
  await output("on");
  let told = "";
  child.stderr?.on("data", (chunk) => (told += chunk));
  const closed = once(child, "close");
  await engine.kill();
  const [code] = await closed;
  assert.equal(code, 125);
  assert.match(told, /the engine ended before the command did/);
  await engine.start();
  const [id = ""] = (await alone(["ps", "-q"])).stdout.split("\n");
  assert.equal((await alone(["rm", "-f", id])).code, 0);
});

test("what answers something else is no engine for the front", ready, async () => {
  const version = (await command(program, ["--version"])).stdout;
  for (const answer of ["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "short", ""]) {
    await using peer = await fakeEngine((socket) => void socket.end(answer));
    // `--help` needs no engine: that it is printed shows that the runtime has taken over.
    const ended = await command(program, ["ps", "--help"], { env: peer.env });
    assert.match(ended.stdout, /Usage: {2}cais ps/, version);
    assert.equal(ended.code, 0);
  }
});

test("orders that come in pieces are put together", ready, async () => {
  const records = Buffer.concat([
    order(ORDER.stdout, 5),
    Buffer.from("hello"),
    order(ORDER.stderr, 3),
    Buffer.from("you"),
    order(ORDER.exit, 42),
  ]);
  await using peer = await fakeEngine(async (socket) => {
    for (const byte of Buffer.concat([Buffer.from(FRONT_ANSWER), records])) {
      socket.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
  });
  assert.deepEqual(await command(program, ["ps"], { env: peer.env }), {
    code: 42,
    stdout: "hello",
    stderr: "you",
  });
});

test("a command line that is too long for the front is run by the runtime", ready, async () => {
  const long = "x".repeat(100_000);
  const words = ["run", "--rm", ...Array.from({ length: 6 }, () => ["-l", `a=${long}`]).flat()];
  assert.deepEqual(await engine.cais([...words, "box", "echo", "fine"]), {
    code: 0,
    stdout: "fine\n",
    stderr: "",
  });
});

test("who is no front but calls as one is cut off, and the engine goes on", ready, async () => {
  const build = /command\?build=([0-9a-f]+)/.exec(await firstRequest())?.[1];
  const head = (...numbers: number[]) => {
    const bytes = Buffer.alloc(CALL_HEAD.size);
    for (const [index, number] of numbers.entries()) bytes.writeBigUInt64LE(BigInt(number), index * 8);
    return bytes;
  };
  const calls = [
    head(1, 2 ** 40, 8),
    head(1, 1, 2 ** 50),
    head(2 ** 50, 1, 8),
    head(0, 1, 8),
    Buffer.concat([head(2 ** 20, 2, 4), Buffer.from("/\0a\0b\0")]),
    Buffer.concat([head(2, 2, 7), Buffer.from("/\0a\0--x\0\0")]),
    Buffer.from("short"),
  ];
  for (const call of calls) {
    const socket = connect(engine.socket);
    socket.on("error", () => undefined);
    socket.write(
      `POST /cais/command?build=${build} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: cais\r\n\r\n`,
    );
    socket.end(call);
    socket.resume();
    await once(socket, "close");
  }
  assert.equal((await alone(["ps"])).code, 0);
});

function begin(words: readonly string[]) {
  const child = spawn(ALONE[0], [...ALONE.slice(1), program, ...words], {
    env: engine.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = (text: string) =>
    new Promise<void>((resolve) => {
      let seen = "";
      child.stdout.on("data", (chunk) => {
        seen += chunk;
        if (seen.includes(text)) resolve();
      });
    });
  return { child, output };
}

/** What a front asks with. */
async function firstRequest(): Promise<string> {
  let seen = "";
  await using peer = await fakeEngine((socket, request) => {
    seen = request.toString("latin1");
    socket.end(Buffer.concat([Buffer.from(FRONT_ANSWER), order(ORDER.exit, 0)]));
  });
  await command(program, ["ps"], { env: peer.env });
  return seen;
}
