// Safe beside other test files.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { command } from "../support/cais.ts";
import { startEngine } from "../support/engine.ts";
import { servicesMissing, servicesTar } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";
import { CLIENTS, clientsMissing, PROGRAMS } from "./support.ts";

const options = needs(root(), servicesMissing(), clientsMissing());

test("testcontainers runs a PostgreSQL and a Redis", options, async () => {
  await using engine = await startEngine();
  await engine.ok(["import", servicesTar(), "services:1"]);
  const directory = mkdtempSync(join(tmpdir(), "cais-client-"));
  const env = {
    ...engine.env,
    CLIENTS,
    IMAGE: "services:1",
    // Its helper container is an image of a registry.
    TESTCONTAINERS_RYUK_DISABLED: "true",
    // It leaves a lock there.
    TMPDIR: directory,
  };
  // Published ports are the engine's, in its own network.
  const where = [`--net=/proc/${engine.pid()}/ns/net`];
  const { code, stdout, stderr } = await command(
    "nsenter",
    [...where, "node", join(PROGRAMS, "testcontainers.cjs")],
    { env },
  );
  rmSync(directory, { recursive: true, force: true });
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    postgres: [0, "500500"],
    redis: "value",
    copied: "copied",
    restarted: "PONG",
    log: true,
    published: "+PONG",
  });
  assert.equal(await engine.ok(["ps", "-aq"]), "");
});
