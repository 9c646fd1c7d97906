import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import type { TestEngine } from "../support/engine.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { memoryOf } from "../support/process.ts";
import { needs, root } from "../support/skip.ts";
import { suiteEngine } from "../support/suite.ts";
import { type Answer, ask } from "./peer/ask.ts";

/** Readers that read nothing, and readers to whom nothing is said: neither makes the engine grow. */
const options = needs(root(), busyboxMissing());
const IMAGE = "busybox:readers";
const MIB = 1024;

let engine: TestEngine;
suiteEngine(options, IMAGE, (started) => {
  engine = started;
});

const send = (method: string, path: string, body?: object): Promise<Answer> =>
  ask(engine.socket, { method, path, ...(body ? { body } : {}) });
/** KiB. */
const resident = (): number => memoryOf(engine.pid(), "VmRSS");
const descriptors = (): number => readdirSync(`/proc/${engine.pid()}/fd`).length;

async function start(name: string, Cmd: readonly string[], more: object = {}): Promise<void> {
  const body = { Image: IMAGE, Cmd, HostConfig: { NetworkMode: "none" }, ...more };
  assert.equal((await send("POST", `/containers/create?name=${name}`, body)).status, 201);
  assert.equal((await send("POST", `/containers/${name}/start`)).status, 204);
}

/** A connection that has the head of its answer; it reads on only while `resume`d. */
function open(method: string, path: string, body = ""): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(engine.socket);
    socket.on("error", reject);
    socket.once("data", () => {
      socket.pause();
      resolve(socket);
    });
    const head = `Host: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    socket.write(`${method} ${path} HTTP/1.1\r\n${head}\r\n\r\n${body}`);
  });
}

/** Requests meanwhile: time passes, and the engine answers. */
async function busy(times: number): Promise<void> {
  for (let n = 0; n < times; n++) assert.equal((await send("GET", "/_ping")).status, 200);
}

for (const [what, path, body] of [
  ["attach", "/containers/flood/attach?stream=1&stdout=1", ""],
  ["exec", "", '{"Detach":false}'],
  ["logs", "/containers/flood/logs?stdout=1&follow=1", ""],
] as const) {
  test(`${what}: who reads nothing does not make the engine grow`, options, async () => {
    await start("flood", what === "exec" ? ["sleep", "1000"] : ["yes", "the same line over and over again"]);
    await busy(50);
    const before = resident();
    let target: string = path;
    if (what === "exec") {
      const made = await send("POST", "/containers/flood/exec", { Cmd: ["yes"], AttachStdout: true });
      target = `/exec/${(JSON.parse(made.body.toString()) as { Id: string }).Id}/start`;
    }
    const socket = await open(what === "logs" ? "GET" : "POST", target, body);
    await busy(600);
    const grown = resident() - before;
    socket.destroy();
    await send("DELETE", "/containers/flood?force=1");
    assert.ok(grown < 80 * MIB, `the engine has grown by ${Math.round(grown / MIB)} MiB`);
  });
}

test("events: who reads nothing is let go before the engine grows", options, async () => {
  await start("teller", ["sleep", "1000"], { Tty: true });
  const socket = await open("GET", "/events");
  await busy(50);
  const before = resident();
  // One connection, many requests: each is an event.
  const requests = 12_000;
  await new Promise<void>((resolve, reject) => {
    const asker = connect(engine.socket);
    let answered = 0;
    asker.on("error", reject);
    asker.on("data", (chunk: Buffer) => {
      answered += chunk.toString("latin1").split("HTTP/1.1 200").length - 1;
      if (answered < requests) return;
      asker.destroy();
      resolve();
    });
    const one = "POST /containers/teller/resize?h=10&w=10 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    asker.write(one.repeat(requests));
  });
  const grown = resident() - before;
  socket.destroy();
  await send("DELETE", "/containers/teller?force=1");
  assert.ok(grown < 80 * MIB, `the engine has grown by ${Math.round(grown / MIB)} MiB`);
});

test("two thousand followers cost little, hear everything, and leave nothing", options, async () => {
  await start("quiet", ["sh", "-c", "read word; echo $word"], { OpenStdin: true });
  const [before, opened] = [resident(), descriptors()];
  const sockets: Socket[] = [];
  // In groups: more at once than fit the queue of a listening socket are turned away by the kernel.
  for (let group = 0; group < 20; group++) {
    const paths = Array.from({ length: 100 }, (_, at) =>
      at % 2 === 0 ? "/containers/quiet/logs?stdout=1&follow=1" : "/events",
    );
    sockets.push(...(await Promise.all(paths.map((path) => open("GET", path)))));
  }
  const grown = resident() - before;
  assert.ok(grown < 80 * MIB, `the engine has grown by ${Math.round(grown / MIB)} MiB`);
  const heard = sockets.map(
    (socket, at) =>
      new Promise<void>((resolve, reject) => {
        const wanted = at % 2 === 0 ? "now" : '"die"';
        let text = "";
        socket.on("data", (chunk: Buffer) => {
          text += chunk.toString("latin1");
          if (text.includes(wanted)) resolve();
        });
        socket.on("close", () => reject(new Error(`a follower is let go; it has heard ${text}`)));
        socket.resume();
      }),
  );
  await ask(engine.socket, {
    method: "POST",
    path: "/containers/quiet/attach?stream=1&stdin=1",
    headers: { Upgrade: "tcp", Connection: "Upgrade" },
    input: "now\n",
  });
  await Promise.all(heard);
  const closed = Promise.all(
    sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve))),
  );
  for (const socket of sockets) socket.destroy();
  await closed;
  await send("DELETE", "/containers/quiet?force=1");
  await busy(20);
  assert.ok(descriptors() <= opened + 2, `${descriptors()} descriptors are open, ${opened} before`);
});

test(
  "all who are attached read the same bytes, the slowest too, and the engine does not grow",
  options,
  async () => {
    const script =
      'read word; i=0; while [ $i -lt 4000 ]; do echo "$i of the output"; echo "$i of the errors" >&2; i=$((i+1)); done; yes | head -c 1m';
    await start("fan", ["sh", "-c", script], { OpenStdin: true });
    const path = "/containers/fan/attach?stream=1&stdout=1&stderr=1";
    const sockets = await Promise.all(Array.from({ length: 60 }, () => open("POST", path)));
    const before = resident();
    const [slow, ...others] = sockets as [Socket, ...Socket[]];
    const all = (socket: Socket): Promise<Buffer> =>
      new Promise((resolve) => {
        const chunks: Buffer[] = [];
        socket.on("data", (chunk: Buffer) => chunks.push(chunk));
        socket.on("end", () => resolve(Buffer.concat(chunks)));
        socket.resume();
      });
    const heard = others.map(all);
    await ask(engine.socket, {
      method: "POST",
      path: "/containers/fan/attach?stream=1&stdin=1",
      headers: { Upgrade: "tcp", Connection: "Upgrade" },
      input: "now\n",
    });
    await busy(50);
    const late = await all(slow);
    const [first, ...rest] = await Promise.all(heard);
    const grown = resident() - before;
    await send("DELETE", "/containers/fan?force=1");
    for (const one of [...rest, late]) assert.ok(first?.equals(one));
    const streams: Record<number, string> = { 1: "", 2: "" };
    for (let at = 0; at < late.length; at += 8 + late.readUInt32BE(at + 4))
      streams[late[at]!] += late.toString("latin1", at + 8, at + 8 + late.readUInt32BE(at + 4));
    const lines = (what: string) => Array.from({ length: 4000 }, (_, n) => `${n} of the ${what}\n`).join("");
    assert.equal(streams[1], lines("output") + "y\n".repeat(1 << 19));
    assert.equal(streams[2], lines("errors"));
    assert.ok(grown < 80 * MIB, `the engine has grown by ${Math.round(grown / MIB)} MiB`);
  },
);
