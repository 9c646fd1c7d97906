import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { installPython, pythonLibrary } from "../../tools/peers/packages.ts";
import { command } from "../support/cais.ts";
import { startEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { PROGRAMS } from "./support.ts";

const options = needs(root(), busyboxMissing(), program("python3") ?? installPython());

test("Docker's client for Python", options, async () => {
  await using engine = await startEngine();
  await engine.ok(["import", busyboxTar(), "client:1"]);
  const env = {
    ...process.env,
    PYTHONPATH: pythonLibrary,
    PYTHONDONTWRITEBYTECODE: "1",
    SOCKET: engine.socket,
    IMAGE: "client:1",
  };
  const { code, stdout, stderr } = await command("python3", [join(PROGRAMS, "python.py")], { env });
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    ping: true,
    api: "1.51",
    run: "hello from python\n",
    failed: [5, "bad\n"],
    status: "running",
    exec: [3, "in\n"],
    demux: ["out\n", "err\n"],
    late: ["late\n", "late\r\n"],
    archive: ["put", "put"],
    stats: ["blkio_stats", "cpu_stats", "id"],
    top: 1,
    diff: ["/tmp/put"],
    paused: "paused",
    commit: ["pythons:1"],
    list: ["py2"],
    wait: 137,
    socket: "typed\n",
    volume: ["py-volume", { a: "b" }],
    missing: "No such container: nobody",
    noimage: "No such image: nothing:1",
  });
});
