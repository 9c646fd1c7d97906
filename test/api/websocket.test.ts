import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { options, suiteEngine, type TestEngine } from "../engine/engine-fixture.ts";

let engine: TestEngine;
suiteEngine((started) => {
  engine = started;
});

const ECHO = 'while read line; do echo "o $line"; echo "e $line" >&2; done';
async function start(name: string, script: string, more: object = {}): Promise<void> {
  const HostConfig = { NetworkMode: "none" };
  const body = { Image: "busybox:test", Cmd: ["sh", "-c", script], OpenStdin: true, HostConfig, ...more };
  await engine.json("POST", `/containers/create?name=${name}`, body);
  await engine.json("POST", `/containers/${name}/start`);
}

/** A client's frame, masked. */
function frame(opcode: number, data: string | Buffer, final = true): Buffer {
  const payload = Buffer.from(data);
  const mask = randomBytes(4);
  const long = Buffer.alloc(payload.length < 126 ? 0 : 8);
  if (long.length > 0) long.writeBigUInt64BE(BigInt(payload.length));
  const head = Buffer.from([(final ? 0x80 : 0) | opcode, 0x80 | (long.length > 0 ? 127 : payload.length)]);
  return Buffer.concat([head, long, mask, payload.map((byte, n) => byte ^ mask[n & 3]!)]);
}

interface Client {
  readonly socket: Socket;
  readonly head: string;
  /** Everything so far after the head. */
  readonly bytes: () => Buffer;
  until(test: (bytes: Buffer) => boolean): Promise<Buffer>;
}

async function open(path: string, headers: Record<string, string> = {}): Promise<Client> {
  const socket = connect(engine.socket);
  let seen: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
  });
  const all = {
    Host: "x",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  while (!seen.includes("\r\n\r\n")) await once(socket, "data");
  const end = seen.indexOf("\r\n\r\n");
  const head = seen.toString("latin1", 0, end + 4);
  seen = seen.subarray(end + 4);
  return {
    socket,
    head,
    bytes: () => seen,
    async until(enough) {
      while (!enough(seen)) await once(socket, "data");
      return seen;
    },
  };
}

/** Opcodes and texts of the server's short frames. */
function frames(bytes: Buffer): [opcode: number, text: string][] {
  const all: [number, string][] = [];
  for (let at = 0; at < bytes.length; ) {
    const [first = 0, length = 0] = bytes.subarray(at);
    all.push([first & 15, bytes.toString("latin1", at + 2, at + 2 + length)]);
    at += 2 + length;
  }
  return all.sort(([a, x], [b, y]) => a - b || x.localeCompare(y));
}
const CLOSED = (code: number): Buffer => Buffer.from([0x88, 2, code >> 8, code & 255]);

test("frames both ways, fragments, ping and close as Docker has them", options, async () => {
  await start("echo", ECHO);
  const all = "stream=1&stdin=1&stdout=1&stderr=1";
  for (const [version, opcode] of [
    ["v1.24", 1],
    ["v1.28", 2],
    ["v1.47", 2],
  ] as const) {
    const client = await open(`/${version}/containers/echo/attach/ws?${all}`);
    assert.match(client.head, /^HTTP\/1.1 101 Switching Protocols\r\n/);
    assert.match(client.head, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
    client.socket.write(Buffer.concat([frame(1, "hel", false), frame(9, "ping"), frame(0, "lo\n")]));
    const bytes = await client.until((seen) => seen.length >= 2 * 10 + 6);
    assert.deepEqual(frames(bytes), [
      [opcode, "e hello\n"],
      [opcode, "o hello\n"],
      [10, "ping"],
    ]);
    const ended = once(client.socket, "end");
    client.socket.write(frame(8, Buffer.from([3, 232])));
    await ended;
    assert.deepEqual(client.bytes().subarray(-4), CLOSED(1000));
  }
});

test("which streams: asked for since 1.42, all before", options, async () => {
  for (const [version, count] of [
    ["v1.41", 2],
    ["v1.42", 1],
  ] as const) {
    const client = await open(`/${version}/containers/echo/attach/ws?stream=1&stdin=1&stdout=1`);
    client.socket.write(frame(2, "x\ny\n"));
    // Two lines may come in one frame.
    const lines = (seen: Buffer): string[] =>
      frames(seen).flatMap(([, text]) => text.split("\n").filter((line) => line !== ""));
    const bytes = await client.until((seen) => lines(seen).length >= count * 2);
    assert.deepEqual(lines(bytes).sort(), count === 2 ? ["e x", "e y", "o x", "o y"] : ["o x", "o y"]);
    client.socket.destroy();
  }
});

test("what was written before, then close", options, async () => {
  const client = await open("/containers/echo/attach/ws?logs=1&stdout=1&stderr=1");
  await once(client.socket, "end");
  const all = frames(client.bytes());
  assert.ok(all.length > 8);
  assert.deepEqual(client.bytes().subarray(-4), CLOSED(1000));
});

test("a megabyte in one frame goes through, and back in many", options, async () => {
  await start("cat", "cat", { StdinOnce: true });
  const client = await open("/containers/cat/attach/ws?stream=1&stdin=1&stdout=1");
  const data = randomBytes(1 << 20);
  client.socket.write(frame(2, data));
  await client.until((seen) => seen.length > data.length);
  // The frame's borders are the kernel's pipe's; the bytes are what was sent.
  const parts: Buffer[] = [];
  const bytes = client.bytes();
  let at = 0;
  let size = 0;
  while (size < data.length) {
    const short = bytes[at + 1]!;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    while (client.bytes().length < at + head) await once(client.socket, "data");
    const now = client.bytes();
    const length =
      short < 126 ? short : short === 126 ? now.readUInt16BE(at + 2) : Number(now.readBigUInt64BE(at + 2));
    while (client.bytes().length < at + head + length) await once(client.socket, "data");
    parts.push(client.bytes().subarray(at + head, at + head + length));
    at += head + length;
    size += length;
  }
  assert.ok(Buffer.concat(parts).equals(data));
  // Closing ends the standard input, and with it the container, and with it the session.
  client.socket.write(frame(8, ""));
  await engine.json("POST", "/containers/cat/wait");
});

test("what the protocol does not allow closes with 1002", options, async () => {
  for (const [what, bytes] of Object.entries({
    unmasked: Buffer.from("\x81\x03abc", "latin1"),
    "reserved bit": Buffer.from([0xc1, 0x80, 0, 0, 0, 0]),
    "unknown opcode": frame(3, "x"),
    "continuation of nothing": frame(0, "x"),
    "fragmented ping": frame(9, "x", false),
    "long ping": frame(9, "x".repeat(126)),
    "second beginning": Buffer.concat([frame(1, "a", false), frame(1, "b")]),
  })) {
    const client = await open("/containers/echo/attach/ws?stream=1&stdin=1&stdout=1");
    client.socket.write(bytes);
    await once(client.socket, "end");
    assert.deepEqual(client.bytes().subarray(-4), CLOSED(1002), what);
  }
});

test("a request that is no handshake gets Docker's refusal", options, async () => {
  const path = "/containers/echo/attach/ws?stream=1";
  for (const [headers, why] of [
    [{ Upgrade: "tcp" }, "not websocket protocol"],
    [{ "Sec-WebSocket-Key": "" }, "mismatch challenge/response"],
    [{ "Sec-WebSocket-Version": "12" }, "missing or bad WebSocket Version"],
  ] as const) {
    const client = await open(path, headers);
    assert.match(client.head, /^HTTP\/1.1 400 /);
    await client.until((seen) => seen.toString() === why);
    client.socket.destroy();
  }
  const missing = await open("/containers/nonesuch/attach/ws");
  assert.match(missing.head, /^HTTP\/1.1 404 /);
  missing.socket.destroy();
});
