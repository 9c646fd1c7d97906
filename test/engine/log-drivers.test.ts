import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { options, suiteEngine, type TestEngine } from "./engine-fixture.ts";

let engine: TestEngine;
suiteEngine((started) => {
  engine = started;
});

async function create(name: string, LogConfig: object, script: string, more: object = {}): Promise<string> {
  const HostConfig = { NetworkMode: "none", LogConfig };
  const body = { Image: "busybox:test", Cmd: ["sh", "-c", script], HostConfig, Tty: true, ...more };
  return (await engine.json("POST", `/containers/create?name=${name}`, body)).Id as string;
}
async function run(name: string, LogConfig: object, script: string, more: object = {}): Promise<string> {
  const id = await create(name, LogConfig, script, more);
  await engine.json("POST", `/containers/${name}/start`);
  await engine.json("POST", `/containers/${name}/wait`);
  return id;
}
const logs = (name: string, query = "") =>
  engine.ask("GET", `/containers/${name}/logs?stdout=1&stderr=1${query}`);

test("local: all that logs can do, files of its own", options, async () => {
  await run("local", { Type: "local", Config: { "max-size": "2k", "max-file": "3" } }, "seq 1 500");
  const lines = (await logs("local")).text.trimEnd().split("\r\n");
  assert.equal(lines.at(-1), "500");
  assert.ok(lines.length > 20 && lines.length < 200);
  assert.equal((await logs("local", "&tail=2")).text, "499\r\n500\r\n");
  assert.equal((await engine.json("GET", "/containers/local/json")).LogPath, "");
});

test("none: logs refuses with Docker's sentence", options, async () => {
  await run("none", { Type: "none" }, "echo hi");
  const { status, text } = await logs("none");
  assert.deepEqual(
    [status, JSON.parse(text).message],
    [501, "configured logging driver does not support reading"],
  );
});

test("json-file: attributes in the file, and with details", options, async () => {
  const Config = { labels: "q", env: "X", tag: "{{.Name}}" };
  await run("attrs", { Config }, "echo hi", { Labels: { q: "r s" }, Env: ["X=y"] });
  const { LogPath } = await engine.json("GET", "/containers/attrs/json");
  assert.deepEqual(JSON.parse(readFileSync(LogPath as string, "utf8")).attrs, {
    q: "r s",
    X: "y",
    tag: "attrs",
  });
  assert.equal((await logs("attrs", "&details=1")).text, "X=y,q=r+s,tag=attrs hi\r\n");
});

test("syslog: sent away, and logs still answers; without the copy it refuses", options, async () => {
  const server = createSocket("udp4");
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  const Config = { "syslog-address": `udp://127.0.0.1:${server.address().port}`, tag: "{{.Name}}" };
  const got = once(server, "message");
  await run("away", { Type: "syslog", Config }, "echo hi");
  assert.match(String((await got)[0]), /^<30>.* away\[\d+\]: hi\r\n$/);
  assert.equal((await logs("away")).text, "hi\r\n");
  await run("gone", { Type: "syslog", Config: { ...Config, "cache-disabled": "true" } }, "echo hi");
  assert.equal((await logs("gone")).status, 501);
  server.close();
});

test("no receiver: the container is not started, in Docker's words", options, async () => {
  await create("closed", { Type: "syslog", Config: { "syslog-address": "tcp://127.0.0.1:1" } }, "echo hi");
  const { status, text } = await engine.ask("POST", "/containers/closed/start");
  assert.equal(status, 500);
  assert.match(JSON.parse(text).message, /failed to initialize logging driver: /);
  const { State } = await engine.json("GET", "/containers/closed/json");
  assert.equal((State as { Status: string }).Status, "created");
});

test("an unknown driver or option is refused at once", options, async () => {
  for (const [LogConfig, why] of [
    [{ Type: "fluentd" }, 'error looking up logging plugin fluentd: plugin "fluentd" not found'],
    [{ Type: "json-file", Config: { colour: "red" } }, "unknown log opt 'colour' for json-file log driver"],
  ] as const) {
    const body = { Image: "busybox:test", Cmd: ["true"], HostConfig: { LogConfig } };
    const { status, text } = await engine.ask("POST", "/containers/create", body);
    assert.deepEqual([status, JSON.parse(text).message], [400, why]);
  }
});
