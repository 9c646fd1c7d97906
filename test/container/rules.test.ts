import assert from "node:assert/strict";
import { test } from "node:test";
import { detachKeys } from "../../src/container/detach.ts";
import { newContainerId } from "../../src/container/id.ts";
import { actionOf, type Request, STATES } from "../../src/container/lifecycle.ts";
import { badName, createNames } from "../../src/container/names.ts";
import { badPolicy, nextDelay, shouldRestart, shouldStartWithEngine } from "../../src/container/restart.ts";
import { formatTime, parseTime } from "../../src/container/time.ts";
import { signalNumber } from "../../src/kernel/signals.ts";

test("every state answers every request, and only Docker's pairs are done", () => {
  const requests: Request[] = ["start", "stop", "restart", "kill", "pause", "unpause", "exec", "remove"];
  const done = (request: Request): string[] =>
    STATES.filter((state) => actionOf(state, request).kind === "do");
  assert.deepEqual(done("start"), ["created", "restarting", "exited"]);
  assert.deepEqual(done("stop"), ["running", "paused", "restarting"]);
  assert.deepEqual(done("kill"), ["running", "paused", "restarting"]);
  assert.deepEqual(done("pause"), ["running"]);
  assert.deepEqual(done("unpause"), ["paused"]);
  assert.deepEqual(done("exec"), ["running"]);
  assert.deepEqual(done("remove"), ["created", "exited", "dead"]);
  for (const state of STATES) {
    for (const request of requests) {
      const action = actionOf(state, request);
      if (action.kind === "refuse")
        assert.match(action.why("0123", "box"), /paused|running|remov|restarting/);
    }
  }
});

test("names: Docker's rules, prefixes, who is first", () => {
  for (const bad of ["", "a", "-ab", "a/b", "ä1", "a b", "../x", "x".repeat(300)]) assert.ok(badName(bad));
  for (const good of ["ab", "a.b-c_d", "9x"]) assert.equal(badName(good), null);
  const names = createNames();
  const [one, two] = [newContainerId(), newContainerId()];
  names.add(one, "web");
  names.add(two, one.slice(0, 12));
  assert.deepEqual(names.find("/web"), { kind: "one", id: one });
  assert.deepEqual(names.find(one), { kind: "one", id: one });
  assert.deepEqual(names.find(one.slice(0, 12)), { kind: "one", id: two });
  assert.deepEqual(names.find(one.slice(0, 20)), { kind: "one", id: one });
  assert.deepEqual(names.find(""), { kind: "none" });
  names.remove(two, one.slice(0, 12));
  assert.deepEqual(names.find(one.slice(0, 12)), { kind: "one", id: one });
  assert.deepEqual(names.find("nobody"), { kind: "none" });
  assert.match(names.invent(), /^[a-z]+_[a-z]+$/);
});

test("restart policies, back-off, refusals", () => {
  const facts = { exitCode: 1, manuallyStopped: false, restartCount: 0 };
  const on = { Name: "on-failure", MaximumRetryCount: 2 } as const;
  assert.equal(shouldRestart({ ...facts, policy: { Name: "no" } }), false);
  assert.equal(shouldRestart({ ...facts, policy: { Name: "always" }, exitCode: 0 }), true);
  assert.equal(shouldRestart({ ...facts, policy: { Name: "always" }, manuallyStopped: true }), false);
  assert.equal(shouldRestart({ ...facts, policy: on, restartCount: 1 }), true);
  assert.equal(shouldRestart({ ...facts, policy: on, restartCount: 2 }), false);
  assert.equal(shouldRestart({ ...facts, policy: on, exitCode: 0 }), false);
  const down = { ...facts, wasUp: false, manuallyStopped: true };
  assert.equal(shouldStartWithEngine({ ...down, policy: { Name: "always" } }), true);
  assert.equal(shouldStartWithEngine({ ...down, policy: { Name: "unless-stopped" } }), false);
  let delay = 0;
  const delays = Array.from({ length: 12 }, () => {
    delay = nextDelay(delay, 10);
    return delay;
  });
  assert.deepEqual(delays.slice(0, 4), [100, 200, 400, 800]);
  assert.equal(delays.at(-1), 60_000);
  assert.equal(nextDelay(60_000, 10_001), 100);
  assert.match(badPolicy({ Name: "always" }, true) ?? "", /AutoRemove/);
  assert.match(badPolicy({ Name: "always", MaximumRetryCount: 1 }, false) ?? "", /on-failure/);
  assert.match(badPolicy({ Name: "often" as "always" }, false) ?? "", /unknown policy/);
});

test("detach keys: across chunks, false starts pass through", () => {
  const keys = detachKeys("");
  assert.ok(typeof keys !== "string");
  assert.deepEqual([...keys.scan(Buffer.from("ab\x10")).pass], [...Buffer.from("ab")]);
  assert.deepEqual([...keys.scan(Buffer.from("x\x10")).pass], [...Buffer.from("\x10x")]);
  assert.deepEqual(keys.scan(Buffer.from("\x11rest")).detach, true);
  assert.equal(typeof detachKeys("ctrl-"), "string");
  const own = detachKeys("a,a,b");
  assert.ok(typeof own !== "string");
  assert.equal(own.scan(Buffer.from("xaab")).detach, true);
});

test("signals by name and number", () => {
  assert.equal(signalNumber("SIGKILL"), 9);
  assert.equal(signalNumber("term"), 15);
  assert.equal(signalNumber("RTMIN+3"), 37);
  assert.equal(signalNumber("64"), 64);
  for (const bad of ["0", "65", "", "NOPE", "KILL+1", "RTMAX+1"]) assert.equal(signalNumber(bad), undefined);
});

test("times in both of Docker's forms", () => {
  assert.equal(parseTime("1700000000.5"), 1_700_000_000_500_000_000n);
  assert.equal(parseTime("2023-11-14T22:13:20.000000001Z"), 1_700_000_000_000_000_001n);
  assert.equal(parseTime("2023-11-15T00:13:20+02:00"), 1_700_000_000_000_000_000n);
  assert.equal(parseTime("yesterday"), null);
  assert.equal(formatTime(1_700_000_000_000_000_001n), "2023-11-14T22:13:20.000000001Z");
});
