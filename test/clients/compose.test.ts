import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { composeProgram, installCompose } from "../../tools/peers/packages.ts";
import { command, type Ended } from "../support/cais.ts";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxMissing, busyboxTar } from "../support/fixtures.ts";
import { needs, root } from "../support/skip.ts";

const options = needs(root(), busyboxMissing(), installCompose());

/** Two services, the second waiting for the first to be healthy; they share a volume and no network. */
const PROJECT = `
services:
  store:
    image: client:1
    network_mode: none
    command: ["sh", "-c", "echo stored > /data/file; sleep 1000"]
    volumes: [data:/data]
    stop_grace_period: 0s
    healthcheck:
      test: ["CMD", "test", "-s", "/data/file"]
      interval: 200ms
  reader:
    image: client:1
    network_mode: none
    command: ["sh", "-c", "cat /data/file; echo $$WORD; sleep 1000"]
    environment: { WORD: from compose }
    volumes: ["data:/data:ro"]
    stop_grace_period: 0s
    depends_on:
      store: { condition: service_healthy }
  once:
    image: client:1
    network_mode: none
    command: ["true"]
    depends_on: [reader]
volumes:
  data: { labels: { kept: "no" } }
`;

let engine: TestEngine;
let directory: string;
before(async () => {
  if (options.skip !== undefined) return;
  engine = await startEngine();
  await engine.ok(["import", busyboxTar(), "client:1"]);
  directory = mkdtempSync(join(tmpdir(), "cais-compose-"));
  writeFileSync(join(directory, "compose.yaml"), PROJECT);
});
after(async () => {
  if (options.skip !== undefined) return;
  rmSync(directory, { recursive: true, force: true });
  await engine[Symbol.asyncDispose]();
});

const compose = (...args: string[]): Promise<Ended> =>
  command(composeProgram, ["-p", "project", "--ansi", "never", ...args], {
    cwd: directory,
    env: { ...engine.env, DOCKER_CONFIG: directory },
  });
async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await compose(...args);
  assert.equal(code, 0, `compose ${args.join(" ")}: ${stderr}`);
  return stdout;
}

test("Compose brings a project up, looks at it, and takes it down", options, async () => {
  await ok("up", "-d");
  const lines = (await ok("ps", "-a", "--format", "json")).trim().split("\n");
  const states = lines.map((line) => JSON.parse(line) as { Service: string; State: string; Health: string });
  assert.deepEqual(
    states.map(({ Service, State, Health }) => `${Service} ${State} ${Health}`.trim()).sort(),
    ["once exited", "reader running", "store running healthy"],
  );
  assert.match(await ok("logs", "--no-log-prefix", "reader"), /stored\nfrom compose/);
  assert.equal(await ok("exec", "-T", "reader", "cat", "/data/file"), "stored\n");
  assert.match(await ok("run", "--rm", "-T", "--no-deps", "once", "echo", "one more"), /one more/);
  assert.match(await ok("top", "store"), /sleep 1000/);
  assert.match(await ok("images"), /client\s+1/);

  // What is as it should be stays; what has changed is made again.
  const before = await ok("ps", "-q");
  await ok("up", "-d", "--no-recreate");
  assert.equal(await ok("ps", "-q"), before);
  writeFileSync(join(directory, "compose.yaml"), PROJECT.replace("from compose", "again"));
  await ok("up", "-d");
  assert.notEqual(await ok("ps", "-q", "reader"), before);
  assert.match(await ok("logs", "--no-log-prefix", "reader"), /again/);

  await ok("restart", "-t", "0", "reader");
  await ok("pause");
  await ok("unpause");
  await ok("up", "-d", "--scale", "reader=3");
  assert.equal((await ok("ps", "-q", "reader")).trim().split("\n").length, 3);
  await ok("stop", "-t", "0");
  await ok("start");
  await ok("kill");
  await ok("down", "-v", "-t", "0");
  assert.equal(await engine.ok(["ps", "-aq"]), "");
  assert.equal(await engine.ok(["volume", "ls", "-q"]), "");
});

/** Two services that find each other by name on the project's network; one is published. */
const NETWORKED = `
services:
  web:
    image: client:1
    command: ["sh", "-c", "echo hello from web > /tmp/index.html; exec httpd -f -h /tmp -p 80"]
    stop_grace_period: 0s
    ports: ["18990:80"]
    healthcheck:
      test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1/index.html"]
      interval: 200ms
  client:
    image: client:1
    command: ["sh", "-c", "wget -q -O - http://web/index.html; wget -q -O - http://alias/index.html"]
    networks: { default: {}, back: { aliases: [me] } }
    depends_on:
      web: { condition: service_healthy }
  other:
    image: client:1
    command: ["sleep", "1000"]
    stop_grace_period: 0s
    networks: [back]
networks:
  back: { labels: { kind: back } }
`;

test("Compose connects services by a network of the project's", options, async () => {
  writeFileSync(
    join(directory, "compose.yaml"),
    NETWORKED.replace(
      'ports: ["18990:80"]',
      'ports: ["18990:80"]\n    networks: { default: { aliases: [alias] } }',
    ),
  );
  await ok("up", "-d");
  assert.equal(await engine.ok(["wait", "project-client-1"]), "0");
  assert.equal(await ok("logs", "--no-log-prefix", "client"), "hello from web\nhello from web\n");
  assert.equal((await ok("port", "web", "80")).trim(), "0.0.0.0:18990");
  assert.equal(
    engine.inside("busybox", "wget", "-q", "-O", "-", "http://127.0.0.1:18990/index.html"),
    "hello from web\n",
  );
  // What is on another network is not found.
  assert.notEqual(
    (await compose("exec", "-T", "other", "wget", "-T", "2", "-q", "-O", "-", "http://web/")).code,
    0,
  );
  assert.deepEqual(
    (
      await engine.ok([
        "network",
        "ls",
        "--filter",
        "label=com.docker.compose.project=project",
        "--format",
        "{{.Name}}",
      ])
    )
      .split("\n")
      .sort(),
    ["project_back", "project_default"],
  );
  await ok("down", "-t", "0");
  assert.doesNotMatch(await engine.ok(["network", "ls"]), /project_/);
});

test("Compose says what is missing", options, async () => {
  writeFileSync(
    join(directory, "compose.yaml"),
    "services: { a: { image: nothing:1, network_mode: none } }\n",
  );
  const { code, stderr } = await compose("up", "-d");
  assert.notEqual(code, 0);
  assert.match(stderr, /Cannot pull nothing:1/);
  await ok("down");
});
