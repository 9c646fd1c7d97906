import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { options, suiteEngine, type TestEngine } from "../engine/engine-fixture.ts";

let engine: TestEngine;
suiteEngine((started) => {
  engine = started;
});

/** Sends bytes as they are; resolves to all that came back once the other side has closed or `until` matched. */
function raw(send: string, until?: RegExp): Promise<{ text: string; socket: Socket }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: engine.socket, allowHalfOpen: true });
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (until?.test(text)) resolve({ text, socket });
    });
    socket.on("end", () => {
      socket.end();
      resolve({ text, socket });
    });
    socket.on("error", reject);
    socket.write(send);
  });
}

/** The payload of frames of standard output; how much is in each is up to the kernel. */
function unframed(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    assert.equal(bytes.readUInt32BE(at), 0x01000000);
    text += bytes.toString("utf8", at + 8, at + 8 + length);
    at += 8 + length;
  }
  return text;
}

test("versions are negotiated, with Docker's sentences", options, async () => {
  assert.equal((await engine.ask("GET", "/v1.24/version")).status, 200);
  const old = await engine.ask("GET", "/v1.23/version");
  assert.equal(old.status, 400);
  assert.match(old.text, /client version 1.23 is too old. Minimum supported API version is 1.24/);
  const young = await engine.ask("GET", "/v1.99/version");
  assert.equal(young.status, 400);
  assert.match(young.text, /client version 1.99 is too new/);
  const none = await engine.ask("GET", "/nowhere");
  assert.deepEqual([none.status, JSON.parse(none.text)], [404, { message: "page not found" }]);
});

test("bad bodies are refused with one sentence", options, async () => {
  for (const [body, sentence] of [
    ["{", /invalid JSON: unexpected EOF/],
    ["{invalid json", /invalid JSON: invalid character 'i' looking for beginning of object key string/],
    ["{} trailing", /unexpected content after JSON/],
    ["", /invalid JSON: got EOF while reading request body/],
    ["[]", /an object is expected/],
    ['{"Image":1}', /Image must be a string/],
    ['{"Image":"x","HostConfig":{"Binds":"a"}}', /HostConfig.Binds must be a list/],
  ] as const) {
    const head = `POST /containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const { text } = await raw(head + body);
    assert.match(text, /^HTTP\/1.1 400 /);
    assert.match(text, sentence);
  }
  const { text } = await raw(
    "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
  );
  assert.match(text, /unsupported Content-Type/);
});

test("what is no HTTP is answered with 400 and closed", options, async () => {
  for (const bad of [
    "nonsense\r\n\r\n",
    "GET / HTTP/3.0\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
  ]) {
    const { text } = await raw(bad);
    assert.match(text, /^HTTP\/1.1 400 /, bad.slice(0, 40));
  }
  const coded = await raw("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n");
  assert.match(coded.text, /^HTTP\/1.1 501 /);
  const hoping = await raw("POST / HTTP/1.1\r\nHost: x\r\nExpect: luck\r\nContent-Length: 1\r\n\r\n");
  assert.match(hoping.text, /^HTTP\/1.1 417 /);
  const long = await raw(`GET / HTTP/1.1\r\nHost: x\r\nA: ${"b".repeat(300_000)}\r\n\r\n`);
  assert.match(long.text, /^HTTP\/1.1 431 /);
  const { text } = await raw(
    "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\nConnection: close\r\n\r\n",
  );
  assert.match(text, /^HTTP\/1.1 413 /);
});

test("heads with long filters, and heads that a person types", options, async () => {
  const ids = encodeURIComponent(
    JSON.stringify({ id: Array.from({ length: 1000 }, (_, n) => `${n}`.padStart(64, "0")) }),
  );
  const many = await engine.ask("GET", `/containers/json?filters=${ids}`);
  assert.deepEqual([many.status, many.text], [200, "[]\n"]);
  const { text } = await raw("GET /_ping HTTP/1.1\nHost: x\nConnection: close\n\n");
  assert.match(text, /^HTTP\/1.1 200 OK\r\n(.*\r\n)+\r\nOK$/);
});

test("pipelined requests, chunked bodies and 100-continue", options, async () => {
  const ping = "GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n";
  const { text } = await raw(ping + ping.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  assert.equal(text.split("HTTP/1.1 200 OK").length, 3);
  const chunked =
    'POST /volumes/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n9\r\n{"Name":"\r\n5;x=y\r\nabc"}\r\n0\r\n\r\n';
  const made = await raw(chunked);
  assert.match(made.text, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 201 Created/);
  assert.match(made.text, /"Name":"abc"/);
  await engine.json("DELETE", "/volumes/abc");
});

test("who waits to be asked for a body is not asked for it after the answer", options, async () => {
  const head = "POST /nowhere HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  const { text } = await raw(head);
  assert.match(text, /^HTTP\/1.1 404 /);
  assert.doesNotMatch(text, /100 Continue/);
});

test("clients of HTTP/1.0 are answered in it, and may keep the connection", options, async () => {
  const body = '{"Name":"old"}';
  const old = await raw(
    `POST /volumes/create HTTP/1.0\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  assert.match(old.text, /^HTTP\/1.0 201 /);
  await engine.json("DELETE", "/volumes/old");
  const ping = "GET /_ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  const kept = await raw(`${ping}GET /_ping HTTP/1.0\r\n\r\n`);
  assert.equal(kept.text.split("HTTP/1.0 200 OK").length, 3);
  assert.equal(kept.text.split("Connection: keep-alive").length, 2);
});

test("hijacked connections: 101 and plain 200, and each half closes by itself", options, async () => {
  for (const [name, upgrade, status] of [
    ["upgraded", "Connection: Upgrade\r\nUpgrade: tcp\r\n", "101 UPGRADED"],
    ["plain", "", "200 OK"],
  ] as const) {
    const body = {
      Image: "busybox:test",
      Cmd: ["sh", "-c", "cat; echo after"],
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      HostConfig: { NetworkMode: "none" },
    };
    await engine.json("POST", `/containers/create?name=${name}`, body);
    const head = `POST /containers/${name}/attach?stream=1&stdin=1&stdout=1&stderr=1 HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`;
    const { text, socket } = await raw(head, /\r\n\r\n/);
    assert.ok(text.startsWith(`HTTP/1.1 ${status}\r\n`), text);
    let output = Buffer.alloc(0);
    const ended = new Promise<void>((resolve) => {
      socket.on("data", (chunk: Buffer) => {
        output = Buffer.concat([output, chunk]);
      });
      socket.on("end", resolve);
    });
    await engine.json("POST", `/containers/${name}/start`);
    socket.write("typed\n");
    socket.end();
    await ended;
    assert.equal(unframed(output), "typed\nafter\n");
    await engine.json("DELETE", `/containers/${name}?force=1`);
  }
});

test("a client that does not read stops the container, not the engine", options, async () => {
  const body = { Image: "busybox:test", Cmd: ["yes"], HostConfig: { NetworkMode: "none" } };
  await engine.json("POST", "/containers/create?name=fast", body);
  const { socket } = await raw(
    "POST /containers/fast/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: x\r\n\r\n",
    /\r\n\r\n/,
  );
  socket.pause();
  await engine.json("POST", "/containers/fast/start");
  for (let n = 0; n < 50; n++) assert.equal((await engine.ask("GET", "/_ping")).status, 200);
  socket.destroy();
  await engine.json("DELETE", "/containers/fast?force=1");
});

test("events have Docker's order and attributes", options, async () => {
  const since = Date.now() / 1000;
  const body = {
    Image: "busybox:test",
    Cmd: ["true"],
    Labels: { a: "b" },
    HostConfig: { NetworkMode: "none" },
  };
  await engine.json("POST", "/containers/create?name=told", body);
  await engine.json("POST", "/containers/told/start");
  await engine.json("POST", "/containers/told/wait");
  await engine.json("DELETE", "/containers/told");
  const asked = encodeURIComponent(JSON.stringify({ label: ["a=b"] }));
  const { text } = await engine.ask(
    "GET",
    `/events?since=${since}&until=${Date.now() / 1000 + 0.05}&filters=${asked}`,
  );
  const events = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { Action: string; Actor: { Attributes: Record<string, string> } });
  assert.deepEqual(
    events.map(({ Action }) => Action),
    ["create", "start", "die", "destroy"],
  );
  assert.deepEqual(events[2]?.Actor.Attributes, {
    a: "b",
    execDuration: "0",
    exitCode: "0",
    image: "busybox:test",
    name: "told",
  });
});
