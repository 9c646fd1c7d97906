import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { options, suiteEngine, type TestEngine } from "./engine-fixture.ts";
import { openEvents } from "./event-stream.ts";

let engine: TestEngine;
suiteEngine((started) => {
  engine = started;
});

async function container(name: string, more: object = {}): Promise<void> {
  const body = {
    Image: "busybox:test",
    Cmd: ["sleep", "1000"],
    HostConfig: { NetworkMode: "none" },
    ...more,
  };
  await engine.json("POST", `/containers/create?name=${name}`, body);
  await engine.json("POST", `/containers/${name}/start`);
}
async function exec(name: string, script: string, more: object = {}): Promise<string> {
  const { Id } = await engine.json("POST", `/containers/${name}/exec`, {
    Cmd: ["sh", "-c", script],
    ...more,
  });
  return Id as string;
}
const begin = (id: string) => engine.ask("POST", `/exec/${id}/start`, { Detach: true });
const inspect = (id: string) => engine.json("GET", `/exec/${id}/json`);
const restart = async (): Promise<void> => {
  await engine.kill("SIGKILL");
  await engine.start();
};

test(
  "what runs, what ended before and meanwhile, and what has yet to start is known to the next engine",
  options,
  async () => {
    await container("box");
    using events = await openEvents(engine.socket);
    const before = await exec("box", "exit 3");
    await begin(before);
    await events.until("exec_die");
    const runs = await exec("box", "while [ ! -e /tmp/end ]; do sleep 0.05; done; exit 4");
    const meanwhile = await exec("box", "sleep 0.5; exit 5");
    const later = await exec("box", "exit 6");
    await begin(runs);
    await begin(meanwhile);
    const { Pid } = await inspect(runs);
    await engine.kill("SIGKILL");
    const record = join(engine.directory, "run/execs", meanwhile, "exit");
    while (!existsSync(record)) await new Promise((resolve) => setTimeout(resolve, 10));
    await engine.start();

    using again = await openEvents(engine.socket);
    const all = await Promise.all([before, runs, meanwhile, later].map(inspect));
    assert.deepEqual(
      all.map(({ Running, ExitCode }) => [Running, ExitCode]),
      [
        [false, 3],
        [true, null],
        [false, 5],
        [false, null],
      ],
    );
    assert.equal(all[1]?.Pid, Pid);
    assert.deepEqual(all[1]?.ProcessConfig, {
      tty: false,
      entrypoint: "sh",
      arguments: ["-c", "while [ ! -e /tmp/end ]; do sleep 0.05; done; exit 4"],
      privileged: false,
    });
    // What runs can still be told its size, be listed, end; what has not started can start, once.
    const open = (await engine.json("GET", "/containers/box/json")).ExecIDs as string[];
    assert.deepEqual(open.sort(), [runs, later].sort());
    assert.equal((await begin(before)).status, 409);
    assert.equal((await begin(runs)).status, 409);
    await begin(later);
    await again.until("exec_die");
    assert.equal((await inspect(later)).ExitCode, 6);
    await begin(await exec("box", "> /tmp/end"));
    for (let ended = 0; ended < 2; ended++) await again.until("exec_die");
    assert.equal((await inspect(runs)).ExitCode, 4);
    await restart();
    assert.equal((await inspect(runs)).ExitCode, 4);

    await engine.ask("DELETE", "/containers/box?force=1");
    assert.equal((await engine.ask("GET", `/exec/${runs}/json`)).status, 404);
    assert.deepEqual(readdirSync(join(engine.directory, "run/exec-records")), []);
  },
);

test("a terminal's size may be told as soon as the stream of its start begins", options, async () => {
  await container("sized");
  const id = await exec("sized", 'until [ "$(stty size)" = "21 43" ]; do sleep 0.05; done; echo told', {
    Tty: true,
    AttachStdout: true,
  });
  const body = JSON.stringify({ Tty: true });
  const head = ["Host: x", "Content-Type: application/json", "Connection: Upgrade", "Upgrade: tcp"];
  const stream = connect(engine.socket);
  stream.write(
    `POST /exec/${id}/start HTTP/1.1\r\n${head.join("\r\n")}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  let said = String((await once(stream, "data"))[0]);
  stream.on("data", (chunk) => {
    said += chunk;
  });
  const ended = once(stream, "end");
  assert.equal((await engine.ask("POST", `/exec/${id}/resize?h=21&w=43`)).status, 200);
  await ended;
  assert.match(said, /told\r\n$/);
  const never = await exec("sized", "true", { Tty: true });
  assert.equal((await engine.ask("POST", `/exec/${never}/resize?h=21&w=43`)).status, 409);
  await engine.json("DELETE", "/containers/sized?force=1");
});

test("an exec whose container ended with the engine away was killed", options, async () => {
  await container("dies");
  const id = await exec("dies", "sleep 1000");
  await begin(id);
  const { State } = await engine.json("GET", "/containers/dies/json");
  await engine.kill("SIGKILL");
  process.kill((State as { Pid: number }).Pid, "SIGKILL");
  const [exit] = globSync(`${engine.directory}/run/execs/${id}`).map((folder) => join(folder, "exit"));
  while (!existsSync(exit!)) await new Promise((resolve) => setTimeout(resolve, 10));
  await engine.start();
  const { Running, ExitCode } = await inspect(id);
  assert.deepEqual([Running, ExitCode], [false, 137]);
  await engine.ask("DELETE", "/containers/dies?force=1");
});

test("a health check that hung when the engine was killed is ended by the next", options, async () => {
  const Healthcheck = { Test: ["CMD-SHELL", "sleep 1000"], Interval: 20e6, Timeout: 3600e9 };
  using events = await openEvents(engine.socket);
  await container("hung", { Healthcheck });
  const seen = await events.until("exec_start: /bin/sh -c sleep 1000");
  const id = seen.at(-1)!.Actor.Attributes.execID!;
  const keeper = join(engine.directory, "run/execs", id, "keeper");
  // It is there a moment before it has anything in it.
  const noted = () => (existsSync(keeper) ? readFileSync(keeper, "utf8") : "");
  while (noted() === "") await new Promise(setImmediate);
  const pid = Number(noted().split(" ", 1)[0]);
  while (readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8") === "") await new Promise(setImmediate);
  await restart();
  const folder = join(engine.directory, "run/execs", id);
  while (existsSync(folder)) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await engine.ask("GET", `/exec/${id}/json`)).status, 404);
  await engine.ask("DELETE", "/containers/hung?force=1");
});

test("execs of a container that is gone are forgotten", options, async () => {
  await container("gone");
  const id = await exec("gone", "true");
  await engine.ask("DELETE", "/containers/gone?force=1");
  await restart();
  assert.equal((await engine.ask("GET", `/exec/${id}/json`)).status, 404);
});
