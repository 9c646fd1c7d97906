import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { command } from "../support/cais.ts";
import { startEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { CLIENTS, clientsMissing, PROGRAMS } from "./support.ts";

const options = needs(root(), busyboxMissing(), clientsMissing());

test("dockerode", options, async () => {
  await using engine = await startEngine();
  await engine.ok(["import", busyboxTar(), "client:1"]);
  const env = { ...process.env, CLIENTS, SOCKET: engine.socket, IMAGE: "client:1" };
  const { code, stdout, stderr } = await command("node", [join(PROGRAMS, "dockerode.cjs")], { env });
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    ping: "OK",
    run: [3, "from run"],
    wait: { StatusCode: 0 },
    attach: "through the connection\n",
    logs: "\x01\0\0\0\0\0\0\x17through the connection\n",
    list: 1,
    exec: ["in\n", "bad\n", 4],
    stats: true,
    top: 1,
    archive: true,
    missing: [404, "No such container: nobody"],
    volume: "rode-volume",
    events: ["create", "attach", "start", "die"],
  });
});
