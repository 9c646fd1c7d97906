import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CAIS } from "../support/cais.ts";
import { startEngine, type TestEngine } from "../support/engine.ts";
import { busyboxTar } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { HERE, type Neighbourhood, neighbourhood, THERE, webServer } from "./scene.ts";

const can = needs(root(), program("ip", "iproute2"), program("nft", "nftables"), program("curl"));
let hosts: Neighbourhood;
let second: TestEngine;
let home: string;

before(async () => {
  if (can.skip) return;
  hosts = await neighbourhood();
  home = mkdtempSync(join(tmpdir(), "cais-second-"));
  const within = join(home, "cais");
  writeFileSync(within, `#!/bin/sh\nexec ${hosts.enter.here.join(" ")} '${CAIS}' "$@"\n`);
  chmodSync(within, 0o755);
  second = await startEngine([], within);
  await second.ok(["import", busyboxTar(), "busybox"]);
});
after(async () => {
  await second?.[Symbol.asyncDispose]();
  await hosts?.[Symbol.asyncDispose]();
  if (home) rmSync(home, { recursive: true });
});

const serve = (engine: TestEngine, name: string, ...options: readonly string[]): Promise<string> =>
  engine.ok(["run", "-d", "--name", name, ...options, "busybox", ...webServer(name)]);
const fetched = async (where: "here" | "there", port: number): Promise<string> =>
  (await hosts[where]("curl", "-sS", "-m", "5", `http://${HERE.ipv4}:${port}/`)).stdout.trim();
const addressOf = (engine: TestEngine, name: string, network = "bridge"): Promise<string> =>
  engine.ok(["inspect", "-f", `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, name]);
const here = async (...words: readonly string[]): Promise<string> => (await hosts.here(...words)).stdout;
const tables = async (): Promise<string[]> =>
  (await here("nft", "list", "tables")).split("\n").filter((line) => line.includes("cais"));
const bridges = async (): Promise<string[]> =>
  [...(await here("ip", "-o", "link", "show", "type", "bridge")).matchAll(/^\d+: (\S+):/gm)].map(
    ([, name = ""]) => name,
  );

test("two engines on one host have networks side by side, whoever of them is killed", can, async () => {
  const first = hosts.engine;
  await serve(first, "one", "-p", "8080:80");
  await serve(second, "two", "-p", "8081:80");
  const own = (await bridges()).find((name) => name !== "cais0")!;
  assert.match(own, /^cais-[0-9a-f]{6}$/);
  assert.deepEqual((await tables()).sort(), [`table inet ${own}`, "table inet cais"].sort());
  const [one, two] = [await addressOf(first, "one"), await addressOf(second, "two")];
  assert.notEqual(one.split(".")[1], two.split(".")[1]);
  assert.match(await second.ok(["network", "inspect", "bridge"]), new RegExp(`bridge.name": "${own}"`));
  const both = async (): Promise<void> => {
    for (const where of ["here", "there"] as const) {
      assert.equal(await fetched(where, 8080), "one", where);
      assert.equal(await fetched(where, 8081), "two", where);
    }
    await first.ok(["exec", "one", "ping", "-c1", "-W2", THERE.ipv4]);
    await second.ok(["exec", "two", "ping", "-c1", "-W2", THERE.ipv4]);
    // What is published only.
    assert.notEqual((await second.cais(["exec", "two", "ping", "-c1", "-W1", one])).code, 0);
    assert.notEqual((await first.cais(["exec", "one", "ping", "-c1", "-W1", two])).code, 0);
    assert.equal(await second.ok(["exec", "two", "wget", "-qO-", `http://${HERE.ipv4}:8080/`]), "one");
  };
  await both();
  // A port is taken, whoever has it.
  const taken = await second.cais(["run", "--rm", "-p", "8080:80", "busybox", "true"]);
  assert.match(taken.stderr, /8080.*address already in use/);
  // Networks of one name, each with its own names.
  for (const [engine, name] of [
    [first, "one"],
    [second, "two"],
  ] as const) {
    await engine.ok(["network", "create", "shop"]);
    await engine.ok(["network", "connect", "--alias", "web", "shop", name]);
    const found = await engine.ok([
      "run",
      "--rm",
      "--network",
      "shop",
      "busybox",
      "wget",
      "-qO-",
      "http://web/",
    ]);
    assert.equal(found, name);
  }
  for (const killed of [first, second]) {
    await killed.kill();
    assert.equal(await fetched("there", 8080), "one");
    assert.equal(await fetched("there", 8081), "two");
    const other = killed === first ? second : first;
    await other.ok(["run", "--rm", "-p", "8082:80", "busybox", "true"]);
    await killed.start();
    await both();
  }
  // The first one has no container: its bridge, empty, is its own still.
  await first.ok(["rm", "-f", "one"]);
  await second.ok(["rm", "-f", "two"]);
  await second.stop();
  assert.deepEqual(await tables(), ["table inet cais"]);
  assert.deepEqual(
    (await bridges()).filter((name) => name.startsWith("cais")),
    ["cais0"],
  );
  await second.start();
  await serve(second, "three");
  assert.deepEqual((await bridges()).filter((name) => name.startsWith("cais")).sort(), [own, "cais0"].sort());
  await serve(first, "four");
  await first.ok(["exec", "four", "ping", "-c1", "-W2", THERE.ipv4]);
  // All that they leave is what there was before.
  await first.ok(["rm", "-f", "four"]);
  await second.ok(["rm", "-f", "three"]);
  await first.stop();
  await second.stop();
  assert.deepEqual([await tables(), await bridges()], [[], []]);
});
