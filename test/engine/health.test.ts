import assert from "node:assert/strict";
import { test } from "node:test";
import { options, suiteEngine, type TestEngine } from "./engine-fixture.ts";
import { openEvents } from "./event-stream.ts";

let engine: TestEngine;
suiteEngine((started) => {
  engine = started;
});

const MS = 1e6;
interface Health {
  readonly Status: string;
  readonly FailingStreak: number;
  readonly Log: readonly { readonly ExitCode: number; readonly Output: string; readonly Start: string }[];
}

async function start(name: string, Healthcheck: object, script = "sleep 1000"): Promise<string> {
  const HostConfig = { NetworkMode: "none" };
  const body = { Image: "busybox:test", Cmd: ["sh", "-c", script], Healthcheck, HostConfig };
  const { Id } = await engine.json("POST", `/containers/create?name=${name}`, body);
  await engine.json("POST", `/containers/${name}/start`);
  return Id as string;
}
async function health(name: string): Promise<Health> {
  const { State } = await engine.json("GET", `/containers/${name}/json`);
  return (State as { Health: Health }).Health;
}
async function status(name: string): Promise<string> {
  const filters = encodeURIComponent(JSON.stringify({ name: [name] }));
  const { text } = await engine.ask("GET", `/containers/json?all=1&filters=${filters}`);
  return (JSON.parse(text) as { Status: string }[])[0]!.Status;
}
async function exec(name: string, ...Cmd: string[]): Promise<void> {
  const { Id } = await engine.json("POST", `/containers/${name}/exec`, { Cmd, AttachStdout: true });
  await engine.ask("POST", `/exec/${Id}/start`, {});
}
const remove = (name: string) => engine.ask("DELETE", `/containers/${name}?force=1`);

test("starting, unhealthy, healthy, with Docker's events, log and status", options, async () => {
  using events = await openEvents(engine.socket);
  const Test = ["CMD-SHELL", "[ -e /tmp/ok ] && yes | dd bs=1 count=5000 2>/dev/null; [ -e /tmp/ok ]"];
  await start("states", { Test, Interval: 50 * MS, Retries: 2 });
  assert.deepEqual(await health("states"), { Status: "starting", FailingStreak: 0, Log: [] });
  assert.match(await status("states"), /^Up .* \(health: starting\)$/);

  const failing = await events.until("health_status: unhealthy");
  const command = `/bin/sh -c ${Test[1]}`;
  assert.deepEqual(
    failing.map((event) => event.Action).slice(2),
    [1, 2]
      .flatMap(() => [`exec_create: ${command}`, `exec_start: ${command}`, "exec_die"])
      .concat("health_status: unhealthy"),
  );
  assert.equal(failing.at(-2)?.Actor.Attributes.exitCode, "1");
  assert.match(await status("states"), /\(unhealthy\)$/);
  assert.ok((await health("states")).FailingStreak >= 2);

  await exec("states", "sh", "-c", "echo > /tmp/ok");
  await events.until("health_status: healthy");
  const { Status, FailingStreak, Log } = await health("states");
  assert.deepEqual([Status, FailingStreak], ["healthy", 0]);
  assert.equal(Log.at(-1)?.Output, `${"y\n".repeat(2048)}...`);
  for (let n = 0; n < 6; n++) await events.until("exec_die");
  assert.equal((await health("states")).Log.length, 5);

  const list = async (value: string) => {
    const filters = encodeURIComponent(JSON.stringify({ health: [value] }));
    return engine.ask("GET", `/containers/json?filters=${filters}`);
  };
  assert.equal((JSON.parse((await list("healthy")).text) as unknown[]).length, 1);
  assert.equal((JSON.parse((await list("none")).text) as unknown[]).length, 0);
  assert.deepEqual(
    [(await list("foo")).status, JSON.parse((await list("foo")).text).message],
    [
      400,
      "invalid filter 'health=foo': invalid value for health (foo): must be one of none, starting, healthy, unhealthy",
    ],
  );
  await remove("states");
});

test("a probe that hangs is killed after its time, one that cannot start has failed", options, async () => {
  using events = await openEvents(engine.socket);
  const Test = ["CMD-SHELL", "echo hi; exec sleep 1000"];
  await start("hangs", { Test, Interval: 20 * MS, Timeout: 100 * MS, Retries: 1 });
  const seen = await events.until("health_status: unhealthy");
  assert.equal(seen.find(({ Action }) => Action === "exec_die")?.Actor.Attributes.exitCode, "137");
  const [first] = (await health("hangs")).Log;
  assert.deepEqual([first?.ExitCode, first?.Output], [-1, "Health check exceeded timeout (100ms): hi\n"]);
  await remove("hangs");

  await start("absent", { Test: ["CMD", "nope"], Interval: 20 * MS, Retries: 1 });
  await events.until("health_status: unhealthy");
  const [failed] = (await health("absent")).Log;
  assert.equal(failed?.ExitCode, -1);
  assert.match(failed?.Output ?? "", /nope/);
  await remove("absent");
});

test("failures in the start period do not count, and its own interval is used", options, async () => {
  using events = await openEvents(engine.socket);
  const Test = ["CMD-SHELL", "[ -e /tmp/ok ]"];
  const times = { Interval: 3_600_000 * MS, StartPeriod: 60_000 * MS, StartInterval: 20 * MS };
  await start("young", { Test, ...times, Retries: 1 });
  for (let n = 0; n < 4; n++) await events.until("exec_die");
  const { Status, FailingStreak } = await health("young");
  assert.deepEqual([Status, FailingStreak], ["starting", 0]);
  await exec("young", "sh", "-c", "echo > /tmp/ok");
  await events.until("health_status: healthy");
  await remove("young");
});

test("probing stops while it is paused, goes on after, and ends with the container", options, async () => {
  using events = await openEvents(engine.socket);
  const id = await start("pauses", { Test: ["CMD", "true"], Interval: 20 * MS });
  await events.until("health_status: healthy");
  await engine.ask("POST", "/containers/pauses/pause");
  // As in Docker: whom nobody watches is unhealthy.
  assert.equal((await health("pauses")).Status, "unhealthy");
  assert.match(await status("pauses"), /^Up .* \(Paused\)$/);
  await engine.ask("POST", "/containers/pauses/unpause");
  const between = await events.until("unpause");
  const paused = between.findIndex(({ Action }) => Action === "pause");
  assert.deepEqual(
    between.slice(paused).filter(({ Action }) => Action.startsWith("exec_create")),
    [],
  );
  await events.until("health_status: healthy");
  await engine.ask("POST", "/containers/pauses/stop?t=0");
  await events.until("die");
  assert.equal((await health("pauses")).Status, "unhealthy");
  await engine.ask("POST", "/containers/pauses/start");
  const again = await health("pauses");
  assert.deepEqual([again.Status, again.FailingStreak], ["starting", 0]);
  assert.ok(again.Log.length > 0);
  await events.until("health_status: healthy");
  await remove(id);
});

test("health is kept and probing goes on when the engine was killed", options, async () => {
  {
    using events = await openEvents(engine.socket);
    await start("lasts", { Test: ["CMD-SHELL", "[ ! -e /tmp/bad ]"], Interval: 100 * MS, Retries: 1 });
    await events.until("health_status: healthy");
    // The document is written some milliseconds later; the next probe's beginning is after that.
    await events.until("exec_die");
  }
  await engine.kill("SIGKILL");
  await engine.start();
  assert.equal((await health("lasts")).Status, "healthy");
  using events = await openEvents(engine.socket);
  await exec("lasts", "sh", "-c", "echo > /tmp/bad");
  await events.until("health_status: unhealthy");
  await remove("lasts");
});

test("no check: no health", options, async () => {
  for (const [name, check] of Object.entries({
    none: { Test: ["NONE"] },
    empty: {},
    odd: { Test: ["FOO", "x"] },
  })) {
    await start(name, check);
    assert.equal(await health(name), undefined);
    await remove(name);
  }
});
