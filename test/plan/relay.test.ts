import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openRelay } from "../../src/plan/relay.ts";
import { needs, program, root } from "../support/skip.ts";

const directory = mkdtempSync(join(tmpdir(), "cais-relay-"));
after(() => rmSync(directory, { recursive: true }));

/** Prints each datagram it gets as one line of JSON. */
const RECEIVE = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("ready", flush=True)
while True: print(json.dumps(s.recv(1 << 20).decode("latin1")), flush=True)
`;

test(
  "datagrams keep their borders and order; a receiver that is not there is said",
  needs(root(), program("python3")),
  async () => {
    const path = join(directory, "socket");
    const relay = openRelay(path, directory);
    await assert.rejects(relay.send(Buffer.from("nobody")), { code: "ENOENT" });
    const receiver = spawn("python3", ["-c", RECEIVE, path], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    receiver.stdout.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
    while (!text.startsWith("ready")) await once(receiver.stdout, "data");
    const messages = [
      "one",
      "",
      "x".repeat(100_000),
      ...Array.from({ length: 500 }, (_, n) => `line ${n}\n`),
    ];
    await Promise.all(messages.map((one) => relay.send(Buffer.from(one))));
    const ended = once(receiver, "close");
    while (text.split("\n").length < messages.length + 2) await once(receiver.stdout, "data");
    receiver.kill();
    await ended;
    assert.deepEqual(
      text
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((line) => JSON.parse(line) as string),
      messages,
    );
    await assert.rejects(relay.send(Buffer.from("gone")), { code: "ECONNREFUSED" });
    relay.close();
  },
);
