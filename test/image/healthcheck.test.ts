// Safe beside other test files
import assert from "node:assert/strict";
import { test } from "node:test";
import { healthOf } from "../../src/image/healthcheck.ts";

test("HEALTHCHECK with its flags", () => {
  assert.deepEqual(
    healthOf("--interval=1m30s --timeout=3s --retries=2 --start-period=1s --start-interval=5ms CMD a b"),
    {
      Test: ["CMD-SHELL", "a b"],
      Interval: 90e9,
      Timeout: 3e9,
      Retries: 2,
      StartPeriod: 1e9,
      StartInterval: 5e6,
    },
  );
  assert.deepEqual(healthOf('cmd ["a", "b"]'), { Test: ["CMD", "a", "b"] });
  assert.deepEqual(healthOf("NONE"), { Test: ["NONE"] });
});

for (const [text, why] of [
  ["NONE x", "HEALTHCHECK NONE takes no arguments"],
  ["CMD", "Missing command after HEALTHCHECK CMD"],
  ["--interval=3s", "Missing command after HEALTHCHECK CMD"],
  ["FOO x", 'Unknown type "FOO" in HEALTHCHECK (try CMD)'],
  ["--what=3s CMD x", "Unknown flag: what"],
  ["--interval=soon CMD x", 'time: invalid duration "soon"'],
  ["--retries=-1 CMD x", "--retries cannot be negative (-1)"],
  ["--timeout=10us CMD x", 'Interval "timeout" cannot be less than 1ms'],
] as const) {
  test(`refused: ${text}`, () => assert.throws(() => healthOf(text), { message: why }));
}
