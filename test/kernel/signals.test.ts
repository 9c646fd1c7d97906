import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import { test } from "node:test";
import { SIGNALS, signalName, signalNumber } from "../../src/kernel/signals.ts";

test("the table is the machine's", () => {
  for (const [name, number] of Object.entries(SIGNALS)) {
    assert.equal(number, constants.signals[name as keyof typeof constants.signals], name);
  }
});

test("signals as people write them", () => {
  for (const [word, number] of [
    ["SIGTERM", 15],
    ["term", 15],
    ["Kill", 9],
    ["15", 15],
    ["CLD", 17],
    ["IOT", 6],
    ["RTMIN", 34],
    ["SIGRTMIN+3", 37],
    ["RTMAX-1", 63],
    ["64", 64],
  ] as const) {
    assert.equal(signalNumber(word), number, word);
  }
  for (const word of [
    "",
    "0",
    "65",
    "-1",
    "FOO",
    "RTMIN+31",
    "RTMIN-1",
    "RTMAX+1",
    "SIG",
    "SIGSIGTERM",
    "1e1",
    "toString",
  ]) {
    assert.equal(signalNumber(word), undefined, word);
  }
});

test("names and back, as the shell lists them", () => {
  for (let number = 1; number <= 64; number++) {
    if (number !== 32 && number !== 33) assert.equal(signalNumber(signalName(number)), number);
  }
  const { stdout } = spawnSync("bash", ["-c", "kill -l 37"], { encoding: "utf8" });
  assert.equal(signalName(37), `SIG${stdout.trim().replace(/^SIG/, "")}`);
});
