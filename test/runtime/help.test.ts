import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ABOUT, FLAG_TEXTS } from "../../src/runtime/help.ts";
import { COMMANDS, GLOBAL } from "../../src/runtime/main.ts";
import { busyboxMissing } from "../support/fixtures.ts";
import { needs, program, root } from "../support/skip.ts";
import { makeScene } from "./scene.ts";

test("every command and every flag is told of", async () => {
  assert.deepEqual(Object.keys(ABOUT), Object.keys(COMMANDS));
  const named = new Set([...Object.keys(GLOBAL), "help"]);
  for (const load of Object.values(COMMANDS))
    for (const name of Object.keys((await load()).default.flags)) named.add(name);
  assert.deepEqual([...named].sort(), Object.keys(FLAG_TEXTS).sort());
});

const beside = needs(root(), busyboxMissing(), program("runc"));

/** The flags that a help names. */
const flagsOf = (text: string) => [...text.matchAll(/^ +--([a-z0-9-]+)/gm)].map(([, name]) => name).sort();

test("help is where runc has it, and names the flags that runc's has", beside, async () => {
  await using scene = makeScene();
  const { cais, runc } = scene;
  for (const name of Object.keys(ABOUT)) {
    const [mine, theirs] = [await cais.ok([name, "--help"]), await runc.ok([name, "--help"])];
    assert.match(mine, new RegExp(`^NAME:\n   cais-runtime ${name} - .*\n\nUSAGE:\n`));
    const missing = flagsOf(theirs).filter((flag) => !flagsOf(mine).includes(flag));
    assert.deepEqual(missing, [], name);
  }
  assert.equal(await cais.ok(["help", "create"]), await cais.ok(["create", "-h"]));
  assert.match(await cais.ok(["help"]), /^NAME:\n {3}cais-runtime - .*runtime\n/);
  assert.equal(await cais.ok([]), await cais.ok(["--help"]));
  for (const words of [
    ["nope", "-h"],
    ["help", "nope"],
  ]) {
    const ended = await cais.run(words);
    assert.equal(ended.code, 3);
    assert.match(ended.stderr, /No help topic for 'nope'/);
  }
});

test("--debug logs what is done, where the log is", beside, async () => {
  await using scene = makeScene();
  const bundle = scene.bundle("d", { args: ["true"] });
  const said = await scene.cais.run(["--debug", "run", "--bundle", bundle, "d"]);
  assert.match(said.stderr, /level=debug msg="container d in cgroup /);
  const log = join(scene.directory, "log");
  const words = ["--debug", "--log", log, "--log-format", "json", "run", "--bundle", bundle, "d"];
  assert.deepEqual(await scene.cais.run(words), { code: 0, stdout: "", stderr: "" });
  const levels = readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { level: string }).level);
  assert.deepEqual([...new Set(levels)], ["debug"]);
});
